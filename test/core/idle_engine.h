// An engine that does nothing, for tests that replace a part of one.
#pragma once

#include "core/engine/engine.h"

namespace test {

class IdleEngine : public ringpoll::Engine {
 public:
  const char* name() const override { return "idle"; }
  std::string start() override { return ""; }
  bool stop() override { return true; }
  int attach(ringpoll::Channel&) override { return 0; }
  void accept(ringpoll::Channel&) override {}
  void receive(ringpoll::Channel&) override {}
  void pauseReceive(ringpoll::Channel&) override {}
  void send(ringpoll::Channel&) override {}
  void connect(ringpoll::Channel&, const ringpoll::SocketAddress&) override {}
  void watch(ringpoll::Channel&) override {}
  void detach(ringpoll::Channel&) override {}
  void close(ringpoll::Channel&) override {}
  void wait(int64_t) override {}
  bool hasEvents() const override { return false; }
  bool reap() override { return false; }
};

}  // namespace test
