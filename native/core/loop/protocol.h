// The seam between the loop and what is spoken on its connections.
//
//   Loop --received, peerEnded, timer ...--> Protocol --queueBytes, endWhenSent ...--> Transport
//                                            (raw, http, ...)                          (the Loop)
//
// There is one Protocol object per loop and kind. What it keeps of a connection hangs on
// channel.protocolState, from open() to closed(). The loop calls; a protocol answers through its
// Transport and through events for JavaScript. A filter such as TLS is a Protocol to the loop and
// a Transport to the protocol inside it.
#pragma once

#include <cstdint>

#include "core/channel/channel.h"
#include "core/memory/received_bytes.h"
#include "core/rings/shared_rings.h"

namespace ringpoll {

class EventWriter;

// What a protocol keeps of one listener or connect call: its options.
struct ProtocolSettings {
  virtual ~ProtocolSettings() = default;
};

// What a protocol asks of the layer below it. Nothing here calls back into the protocol, but for
// closed(), which comes in a later completion.
class Transport {
 public:
  virtual ~Transport() = default;

  // Queues bytes behind what is queued; they leave with the flush. The block may be reused when the
  // flush is over: what has not left by then is kept by the transport.
  virtual void queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) = 0;
  // The same for bytes that many connections send: each keeps a reference of the block from now on,
  // and what has not left is never copied.
  virtual void queueShared(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
    queueBytes(channel, block, offset, length);
  }
  // JavaScript has counted so many bytes of a command as pending. They are the protocol's business
  // now, which counts what it queues.
  virtual void takeCounted(Channel& channel, uint32_t bytes) = 0;
  // FIN, or the end of everything, behind what is queued.
  virtual void endWhenSent(Channel& channel) = 0;
  virtual void closeWhenSent(Channel& channel) = 0;
  // Closes now; what is queued is dropped.
  virtual void closeNow(Channel& channel) = 0;
  // The same, with an errno as the reason.
  virtual void giveUp(Channel& channel, int error) = 0;
  // Bytes have come that were not received yet: such a connection is not idle.
  virtual bool unread(const Channel& channel) = 0;
  // The same, or the peer's FIN has; what is inside of TLS is not looked at.
  virtual bool stirred(const Channel&) { return false; }
  // The protocol's own reason not to read, beside JavaScript's pause().
  virtual void pauseReading(Channel& channel, bool paused) = 0;
  // Protocol::timer() after `delayMs`, unless the connection has an idle timeout of JavaScript's.
  virtual void armTimer(Channel& channel, uint64_t delayMs) = 0;
  virtual void cancelTimer(Channel& channel) = 0;
  // Of a datagram socket: Protocol::writable() when the kernel may have room again.
  virtual void awaitRoom(Channel&) {}
  // Bytes that are queued, or on their way into the queue, and have not left.
  virtual uint64_t unsentBytes(const Channel& channel) = 0;
  // Bytes that the peer has acknowledged, as far as the kernel can tell; never fewer than before on
  // TCP.
  virtual uint64_t deliveredBytes(const Channel& channel) = 0;
  // null: it is over.
  virtual Channel* channelOf(Token token) = 0;
  // The protocol reads the connection itself from now on, and hears of it by readable(); or not any
  // more. False: its route, or a filter, does not allow that.
  virtual bool tellReadable(Channel&, bool /*tell*/) { return false; }
  // Such a read: bytes that came, or 0. What else comes is told as that of any other connection.
  virtual uint32_t readInto(Channel&, uint8_t* /*data*/, uint32_t /*bytes*/) { return 0; }
  // The same, of at most `bytesMax`, into memory that is good until the turn is over. False: there
  // is none.
  virtual bool readSome(Channel&, uint32_t /*bytesMax*/, ReceivedBytes* /*bytes*/) { return false; }
  // Bytes that JavaScript has staged for a command, by their offset in the slab.
  virtual ReceivedBytes staged(int32_t slabOffset, uint32_t length) = 0;
};

// `nowMs` is the loop's clock: monotonic milliseconds.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // A connection has been accepted, or has connected. `settings` are its endpoint's.
  virtual void open(Channel& channel, ProtocolSettings* settings, uint64_t nowMs) = 0;
  virtual void received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) = 0;
  // The peer's FIN; no bytes come after it.
  virtual void peerEnded(Channel& channel) = 0;
  // The descriptor is closed. Frees what hangs on the channel.
  virtual void closed(Channel& channel) = 0;
  // The event that tells JavaScript so.
  virtual EventKind closeEvent() const { return EventKind::kClose; }

  // A command of JavaScript's that is not the loop's own; see CommandKind.
  virtual void command(Channel&, const int32_t* /*words*/, uint64_t /*nowMs*/) {}
  // The kernel has not taken everything.
  virtual void sendBlocked(Channel&, uint64_t /*nowMs*/) {}
  // The protocol has set kProtocolWaits, and some of what is queued may have left.
  virtual void sendProgressed(Channel&) {}
  // Our FIN is out, the peer's is not here.
  virtual void finSent(Channel&, uint64_t /*nowMs*/) {}
  // JavaScript does not want bytes, or wants them again.
  virtual void readingPaused(Channel&, bool /*paused*/, uint64_t /*nowMs*/) {}
  virtual void timer(Channel&, uint64_t /*nowMs*/) {}
  // Something may have come, an error too: of a datagram socket, and after tellReadable().
  virtual void readable(Channel&, uint64_t /*nowMs*/) {}
  // The same, after Transport::awaitRoom().
  virtual void writable(Channel&) {}

  // Once a turn, before its completions: what was held back may go on.
  virtual void beginTurn(uint64_t /*nowMs*/) {}
  // What was queued has been offered to the kernel.
  virtual void endFlush() {}
  // JavaScript has seen all events of the turn: memory that they named may be reused.
  virtual void endTurn() {}
  // True: beginTurn() has something to do, so the next turn must not wait.
  virtual bool hasWork() const { return false; }
};

}  // namespace ringpoll
