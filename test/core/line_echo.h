// A protocol of one's own: sends every complete line back, however it is split over reads, and an
// unfinished one at the end.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "core/loop/protocol.h"

namespace test {

using namespace ringpoll;

class LineEcho final : public Protocol {
 public:
  LineEcho(Arena& arena, Transport& transport) : arena_(arena), transport_(transport) {}

  void open(Channel& channel, ProtocolSettings*, uint64_t) override {
    channel.protocolState = new std::string;
    ++connections;
  }
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t) override {
    std::string& line = of(channel);
    const char* at = reinterpret_cast<const char*>(arena_.data(bytes.block)) + bytes.offset;
    for (uint32_t i = 0; i < bytes.length; ++i) {
      line += at[i];
      if (at[i] == '\n') send(channel, line);
    }
  }
  void peerEnded(Channel& channel) override {
    send(channel, of(channel));
    transport_.endWhenSent(channel);
  }
  void closed(Channel& channel) override {
    delete static_cast<std::string*>(channel.protocolState);
    --connections;
  }
  void endFlush() override {
    for (BlockId block : queued_) arena_.release(block);
    queued_.clear();
  }

  int connections = 0;

 private:
  static std::string& of(Channel& channel) {
    return *static_cast<std::string*>(channel.protocolState);
  }
  void send(Channel& channel, std::string& line) {
    if (line.empty()) return;
    const auto length = static_cast<uint32_t>(line.size());
    queued_.push_back(arena_.lease(length));
    std::memcpy(arena_.data(queued_.back()), line.data(), length);
    transport_.queueBytes(channel, queued_.back(), 0, length);
    line.clear();
  }

  Arena& arena_;
  Transport& transport_;
  std::vector<BlockId> queued_;
};

}  // namespace test
