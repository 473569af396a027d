// A loop with one connection: notes what a protocol asks of it.
#pragma once

#include <string>

#include "core/loop/protocol.h"
#include "core/memory/arena.h"

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
  int error = 0;
  uint64_t delayMs = 0;
  Arena* arena = nullptr;
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
  Channel* channelOf(Token token) override {
    return channel != nullptr && channel->token() == token ? channel : nullptr;
  }
};

}  // namespace test
