// No protocol at all: JavaScript gets bytes and the peer's end as they come.
#pragma once

#include "core/loop/protocol.h"
#include "core/rings/event_writer.h"

namespace ringpoll {

class RawProtocol : public Protocol {
 public:
  RawProtocol(Arena& arena, EventWriter& events) : events_(events), arena_(arena) {}

  void open(Channel&, ProtocolSettings*, uint64_t) override {}
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t) override {
    events_.push(EventKind::kData, channel, static_cast<int32_t>(arena_.slab(bytes.block)),
                 bytes.block, arena_.slabOffset(bytes.block) + bytes.offset, bytes.length);
  }
  void peerEnded(Channel& channel) override { events_.push(EventKind::kEnd, channel); }
  void closed(Channel&) override {}

 protected:
  EventWriter& events_;

 private:
  Arena& arena_;
};

}  // namespace ringpoll
