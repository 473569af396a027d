// What the parts of a loop share: memory, channels, events, engines, and the time of the turn. It
// does nothing by itself.
#pragma once

#include <memory>
#include <vector>

#include "core/base/layer_clock.h"
#include "core/base/metrics.h"
#include "core/channel/channel_table.h"
#include "core/channel/completion.h"
#include "core/engine/engine.h"
#include "core/memory/arena.h"
#include "core/memory/receive_buffers.h"
#include "core/rings/event_writer.h"
#include "core/rings/shared_rings.h"
#include "core/system/sockets.h"
#include "liveness.h"

namespace ringpoll {

// What the loop needs from whoever embeds it.
class LoopHost : public SlabSource {
 public:
  // Bytes waiting per slot, shared with JavaScript; called when the table has grown. The old values
  // are carried over. nullptr: no memory.
  virtual double* growPending(uint32_t slots) = 0;
};

struct LoopState {
  LoopState(LoopHost& loopHost, SharedRings sharedRings, SocketCalls& socketCalls, bool checked)
      : host(loopHost), rings(sharedRings), sockets(socketCalls), arena(loopHost, checked) {}

  Engine& engineOf(const Channel& channel) { return *engines[channel.engine]; }

  LoopHost& host;
  const SharedRings rings;
  SocketCalls& sockets;
  Arena arena;
  SendQueues queues{arena};
  ReceiveBuffers buffers{arena};
  ChannelTable channels;
  ReadyQueue ready;
  EventWriter events{rings};
  Metrics metrics;
  Liveness liveness;
  LayerClock* layers = nullptr;  // null: this turn is not measured
  std::vector<std::unique_ptr<Engine>> engines;
  uint64_t nowMs = 0;  // when the wait ended, or JavaScript's commands were taken
  // Something is known to be ready: of the first engine, of the second one.
  bool moreReady = false;
  bool secondaryReady = false;

  // What the channel's engine knew already must not wait for the next event.
  void requestAnotherTurn(const Channel& channel) {
    moreReady = true;
    if (channel.engine != 0) secondaryReady = true;
  }
};

// What the parts ask back of the loop: the two ways in which a connection ends.
class ChannelEnds {
 public:
  virtual ~ChannelEnds() = default;
  virtual void fail(Channel& channel, int error, Syscall syscall) = 0;
  virtual void destroy(Channel& channel) = 0;
  // As soon as it can be done without losing what the kernel has not sent yet.
  virtual void closeInOrder(Channel& channel) = 0;
};

}  // namespace ringpoll
