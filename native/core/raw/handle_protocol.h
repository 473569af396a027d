// Raw bytes for whoever does in JavaScript what libuv's stream handles do: it hears when FIN has
// left, may read itself, and closes the connection itself when both sides have ended.
#pragma once

#include "raw_protocol.h"

namespace ringpoll {

class HandleProtocol final : public RawProtocol {
 public:
  using RawProtocol::RawProtocol;

  void open(Channel& channel, ProtocolSettings*, uint64_t) override {
    channel.lifeFlags |= kHeldByWork | kClosedByOwner;
  }
  void finSent(Channel& channel, uint64_t) override { events_.push(EventKind::kFinSent, channel); }
  // It stays readable until a read of JavaScript's has come up short.
  void readable(Channel& channel, uint64_t) override {
    channel.engineFlags |= kReadable;
    events_.push(EventKind::kReadable, channel);
  }
};

}  // namespace ringpoll
