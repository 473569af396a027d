// A filter that is small enough to be looked through, with everything that TLS asks of the seam: a
// greeting before anything else, records, an end of its own, and bytes that are others on the wire.
//
//   "HI" from either side, then records: length (two bytes, little-endian), and the bytes ^ 0x5a;
//   a record of length 0 is the end
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/assert.h"
#include "core/loop/loop.h"
#include "core/memory/scratch_block.h"

namespace test {

using namespace ringpoll;

inline constexpr uint8_t kFramedKey = 0x5a;
inline constexpr size_t kFramedRecordMax = 16 * 1024;
inline constexpr uint64_t kFramedGreetingMs = 2000;
inline constexpr int kFramedTruncated = 0x7001;
inline constexpr int kFramedNoGreeting = 0x7002;

inline std::string framedText(const std::string& plain, size_t recordMax = kFramedRecordMax) {
  std::string all;
  for (size_t at = 0; at < plain.size();) {
    const size_t length = std::min(plain.size() - at, recordMax);
    all += static_cast<char>(length & 0xff);
    all += static_cast<char>(length >> 8);
    for (size_t i = 0; i < length; ++i) all += static_cast<char>(plain[at + i] ^ kFramedKey);
    at += length;
  }
  return all;
}
inline std::string framedEnd() { return std::string(2, '\0'); }

// The peer's side: what has come, without its greeting.
struct Unframed {
  std::string plain;
  size_t records = 0;
  bool greeted = false;
  bool ended = false;
  bool afterEnd = false;

  void feed(const std::string& bytes) {
    raw_ += bytes;
    if (!greeted && raw_.size() >= 2) {
      greeted = raw_.compare(0, 2, "HI") == 0;
      raw_.erase(0, 2);
    }
    while (greeted && raw_.size() >= 2) {
      if (ended) afterEnd = true;
      const size_t length = static_cast<uint8_t>(raw_[0]) | static_cast<uint8_t>(raw_[1]) << 8;
      if (length == 0) {
        ended = true;
        raw_.erase(0, 2);
        continue;
      }
      if (raw_.size() < 2 + length) return;
      for (size_t i = 0; i < length; ++i) plain += static_cast<char>(raw_[2 + i] ^ kFramedKey);
      raw_.erase(0, 2 + length);
      ++records;
    }
  }

 private:
  std::string raw_;
};

class FramedFilter final : public Filter {
 public:
  FramedFilter(Arena& arena, FilterHost& host)
      : arena_(arena), host_(host), encoded_(arena), decoded_(arena) {}

  void open(Channel& channel, ProtocolSettings*, uint64_t) override {
    channel.filtered = new Connection(*this);
    ++connections;
    put(channel, "HI", 2);
    host_.armFilterTimer(channel, kFramedGreetingMs);
  }

  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) override {
    Connection& connection = of(channel);
    if (connection.inEnded) return;
    const char* data = reinterpret_cast<const char*>(arena_.data(bytes.block)) + bytes.offset;
    connection.raw.append(data, bytes.length);
    std::string& raw = connection.raw;
    if (!connection.announced) {
      if (raw.size() < 2) return;
      raw.erase(0, 2);
      host_.announce(channel);
    }
    std::string plain;
    while (raw.size() >= 2 && !connection.inEnded) {
      const size_t length = static_cast<uint8_t>(raw[0]) | static_cast<uint8_t>(raw[1]) << 8;
      if (raw.size() < 2 + length) break;
      for (size_t i = 0; i < length; ++i) plain += static_cast<char>(raw[2 + i] ^ kFramedKey);
      raw.erase(0, 2 + length);
      connection.inEnded = length == 0;
    }
    deliver(channel, plain, nowMs);
    if (connection.inEnded) host_.endReading(channel);
  }

  void peerEnded(Channel& channel) override {
    if (!of(channel).inEnded) host_.giveUp(channel, kFramedTruncated);
  }
  void closed(Channel& channel) override {
    delete channel.filtered;
    channel.filtered = nullptr;
    --connections;
  }
  void timer(Channel& channel, uint64_t) override { host_.giveUp(channel, kFramedNoGreeting); }

  bool encode(Channel& channel, const iovec* pieces, uint32_t count) override {
    std::string plain;
    for (uint32_t i = 0; i < count; ++i) {
      plain.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    ++encodes;
    const std::string all = framedText(plain);
    return put(channel, all.data(), all.size());
  }
  void end(Channel& channel) override { put(channel, "\0\0", 2); }
  void encodedLeft(Channel& channel) override {
    if (writer_ == channel.token()) encoded_.rewind(mark_);
    writer_ = kNobody;
  }

  void endFlush() override {
    writer_ = kNobody;
    encoded_.recycle();
  }
  void endTurn() override { decoded_.recycle(); }

  int connections = 0;
  int encodes = 0;

 private:
  struct Connection final : Filtered {
    using Filtered::Filtered;
    std::string raw;
    bool inEnded = false;
  };
  static constexpr Token kNobody = ~Token{0};
  static Connection& of(Channel& channel) { return *static_cast<Connection*>(channel.filtered); }

  bool put(Channel& channel, const char* data, size_t length) {
    if (writer_ != channel.token()) {
      writer_ = channel.token();
      mark_ = encoded_.mark();
    }
    while (length > 0) {
      const auto bytes = static_cast<uint32_t>(std::min<size_t>(length, kFramedRecordMax));
      ScratchBlock::Room room;
      if (!encoded_.room(bytes, &room)) {
        host_.giveUp(channel, ENOMEM);
        return false;
      }
      std::memcpy(room.at, data, bytes);
      encoded_.commit(bytes);
      host_.queueEncoded(channel, room.block, room.offset, bytes);
      data += bytes;
      length -= bytes;
    }
    return true;
  }
  void deliver(Channel& channel, const std::string& plain, uint64_t nowMs) {
    for (size_t at = 0; at < plain.size() && channel.state == ChannelState::kOpen;) {
      const auto bytes = static_cast<uint32_t>(std::min<size_t>(plain.size() - at, 64 * 1024));
      ScratchBlock::Room room;
      RP_ASSERT(decoded_.room(bytes, &room));
      std::memcpy(room.at, plain.data() + at, bytes);
      decoded_.commit(bytes);
      channel.protocol->received(channel, {room.block, room.offset, bytes}, nowMs);
      at += bytes;
    }
  }

  Arena& arena_;
  FilterHost& host_;
  ScratchBlock encoded_;
  ScratchBlock decoded_;
  ScratchBlock::Mark mark_;
  Token writer_ = kNobody;
};

inline FramedFilter& addFramedFilter(Loop& loop) {
  auto made = std::make_unique<FramedFilter>(loop.arena(), loop.filterHost());
  FramedFilter& filter = *made;
  loop.addProtocol(std::move(made));
  return filter;
}

}  // namespace test
