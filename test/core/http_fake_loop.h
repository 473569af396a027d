// A loop with one connection: notes what a protocol asks of it.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "core/loop/protocol.h"
#include "core/memory/arena.h"
#include "core/memory/receive_buffers.h"

namespace test {

using namespace ringpoll;

struct FakeLoop : Transport {
  std::string sent;
  size_t taken = 0;  // by the peer; the fake loop says so only when a test sets it
  bool ended = false;
  bool closedWhenSent = false;
  bool closed = false;
  bool paused = false;
  bool inSocket = false;  // bytes that were not received yet
  std::string kernel;     // bytes that the protocol may read itself
  bool tellable = true;
  int error = 0;
  uint64_t delayMs = 0;
  Arena* arena = nullptr;
  ReceiveBuffers* buffers = nullptr;
  Channel* channel = nullptr;

  void queueBytes(Channel&, BlockId block, uint32_t offset, uint32_t length) override {
    sent.append(reinterpret_cast<const char*>(arena->data(block)) + offset, length);
  }
  void takeCounted(Channel&, uint32_t) override {}
  void endWhenSent(Channel&) override { ended = true; }
  void closeWhenSent(Channel&) override { closedWhenSent = true; }
  void closeNow(Channel& of) override {
    closed = true;
    of.state = ChannelState::kClosing;
  }
  bool unread(const Channel&) override { return inSocket; }
  bool stirred(const Channel&) override { return inSocket; }
  void giveUp(Channel& of, int why) override {
    error = why;
    of.state = ChannelState::kClosing;
  }
  void pauseReading(Channel&, bool on) override { paused = on; }
  void armTimer(Channel&, uint64_t ms) override { delayMs = ms; }
  void cancelTimer(Channel&) override { delayMs = 0; }
  ReceivedBytes staged(int32_t, uint32_t) override { return {}; }
  uint64_t deliveredBytes(const Channel& of) override { return of.bytesWritten; }
  uint64_t unsentBytes(const Channel&) override { return sent.size() - taken; }
  bool tellReadable(Channel& of, bool tell) override {
    if (!tellable) return false;
    of.engineFlags &= ~kTellsReadable;
    if (tell) of.engineFlags |= kTellsReadable;
    return true;
  }
  uint32_t readInto(Channel& of, uint8_t* data, uint32_t bytes) override {
    const auto taken = static_cast<uint32_t>(std::min<size_t>(bytes, kernel.size()));
    std::memcpy(data, kernel.data(), taken);
    kernel.erase(0, taken);
    if (kernel.empty()) of.engineFlags &= ~kReadable;
    return taken;
  }
  bool readSome(Channel& of, uint32_t bytesMax, ReceivedBytes* bytes) override {
    ReceiveBuffers::Room room;
    if (buffers == nullptr || !buffers->room(&room)) return false;
    const uint32_t taken = readInto(of, room.at, std::min(bytesMax, room.bytes));
    if (taken > 0) buffers->commit(taken);
    *bytes = {room.block, room.offset, taken};
    return true;
  }
  Channel* channelOf(Token token) override {
    return channel != nullptr && channel->token() == token ? channel : nullptr;
  }
};

}  // namespace test
