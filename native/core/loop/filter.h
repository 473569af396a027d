// A filter stands between the socket and what is spoken on a connection, as TLS does.
//
//   socket --received()--> Filter --received()--> Protocol      FilterHost: the loop
//   socket <-queueEncoded()- Filter <--encode()-- the loop <--queueBytes(), ... -- Protocol
//
// The protocol inside talks to the loop and does not know of the filter. What it sends, and what
// JavaScript sends, waits in filtered->plain until the flush, so that all of it is encoded at once;
// the loop counts it, reads files for it, and holds it back. Until announce() the connection is the
// filter's alone.
#pragma once

#include <sys/uio.h>

#include "core/channel/channel.h"
#include "protocol.h"

namespace ringpoll {

// What a filter asks of the loop.
class FilterHost : public Transport {
 public:
  // Bytes for the socket, behind those before. The block may be reused when the flush is over.
  virtual void queueEncoded(Channel& channel, BlockId block, uint32_t offset, uint32_t length) = 0;
  // The connection is ready. JavaScript hears of it, and the protocol inside is opened.
  virtual void announce(Channel& channel) = 0;
  // The same, but what is inside is raw bytes, whatever the protocol of the endpoint.
  virtual void announceRaw(Channel& channel) = 0;
  // The bytes say that no more come: as the peer's FIN for the protocol inside.
  virtual void endReading(Channel& channel) = 0;
  // Protocol::timer() of the filter after `delayMs`; not once the connection is announced.
  virtual void armFilterTimer(Channel& channel, uint64_t delayMs) = 0;
};

// One per loop and kind. To the loop it is a Protocol, of which it uses open(), received(),
// peerEnded(), closed(), timer() and what comes once a turn. open() sets channel.filtered, and
// closed() deletes it. Bytes that were decoded go to channel.protocol, once it is announced.
class Filter : public Protocol {
 public:
  // Encodes bytes of the protocol inside, and queues what comes of them. False: the connection has
  // failed, and the filter has said so to the loop.
  virtual bool encode(Channel& channel, const iovec* pieces, uint32_t count) = 0;
  // Nothing follows: its own end, if it has one, goes behind what was encoded.
  virtual void end(Channel& channel) = 0;
  // What was encoded for this connection since the last encodedLeft() has left. Memory of it may
  // be used again before the flush is over.
  virtual void encodedLeft(Channel&) {}
};

}  // namespace ringpoll
