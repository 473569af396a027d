// What the WebSocket modes share: a connection's frames, in and out.
#ifndef BENCH_WEBSOCKET_H
#define BENCH_WEBSOCKET_H

#include "load.h"

enum opcode { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

// The payload that a message has, and the one that it must come back with.
struct payload {
  const char *bytes;
  size_t length;
};

// A mode of WebSocket: what is sent, and what is done with what comes.
struct dialogue {
  struct payload (*expected)(struct connection *connection);  // the next message
  void (*opened)(struct connection *connection);              // the handshake is over
  void (*message)(struct connection *connection);             // one came, and it is right
};

// frames.c
void frames_prepare(const struct options *run, const struct dialogue *dialogue);
void frames_handshake(struct connection *connection);
void frames_queue(struct connection *connection, struct payload payload);  // a message, masked
void frames_send(struct connection *connection);
void frames_receive(struct connection *connection);

// packed.c: documents of JSON, and what permessage-deflate makes of them (RFC 7692).
void packed_prepare(size_t size);
struct payload packed_document(uint32_t connection, uint64_t sequence);
struct payload packed_bytes(struct payload document);            // as it was compressed beforehand
struct payload packed_inflate(const char *from, size_t length);  // valid until the next call

#endif
