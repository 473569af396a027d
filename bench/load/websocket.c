// WebSocket. Echo: a batch of `depth` messages leaves in one write, and the next one follows when
// all of them are back. Publish: connection 0 sends, the server gives the message to everybody, and
// the next one follows when it has arrived everywhere; a message that is counted is one delivery.
#include <stdlib.h>

#include "websocket.h"

static struct payload payload_at(uint32_t connection, uint64_t sequence) {
  if (options->deflate) return packed_document(connection, sequence);
  return (struct payload){pattern_at(connection, sequence), options->size};
}

static void prepare_payloads(const struct options *run) {
  if (run->deflate)
    packed_prepare(run->size);
  else
    pattern_prepare(run->size);
  if (run->text) pattern_to_text();
}

// Echo: `received` counts the messages of the batch that are back, `sequence` is its first.
static int batch_of(void) { return meter.phase == OPENING ? 1 : options->depth; }

static void echo_send(struct connection *connection) {
  connection->sequence += connection->received;
  connection->received = 0;
  connection->sent = (uint64_t)batch_of();
  connection->started_ns = now_ns();
  for (uint64_t i = 0; i < connection->sent; i++) {
    frames_queue(connection, payload_at(connection->index, connection->sequence + i));
  }
  frames_send(connection);
}

static struct payload echo_expected(struct connection *connection) {
  if (connection->parked || connection->received == connection->sent) {
    fail("connection %u: a message too many", connection->index);
  }
  return payload_at(connection->index, connection->sequence + connection->received);
}

static void echo_message(struct connection *connection) {
  connection->received++;
  meter_latency(now_ns() - connection->started_ns);
  meter_count(1, options->size);
  if (connection->received == connection->sent) message_done(connection);
}

static const struct dialogue echo_dialogue = {echo_expected, echo_send, echo_message};

static void echo_prepare(const struct options *run) {
  prepare_payloads(run);
  frames_prepare(run, &echo_dialogue);
}

static void echo_begin(struct connection *connection) {
  if (connection->parser == NULL)
    frames_handshake(connection);
  else
    echo_send(connection);
}

const struct mode websocket_mode = {"websocket", echo_prepare, echo_begin, frames_send,
                                    frames_receive};

// Publish: a connection that has the last message waits until all have it, and is done then.
static struct connection *publisher;
static struct connection **served;  // those that have the last message
static int served_count;
static int waiting;         // those that wait for the next one
static uint64_t published;  // messages so far
static uint64_t published_ns;

static void publish_next(void) {
  published++;
  published_ns = now_ns();
  frames_queue(publisher, payload_at(0, published));
  frames_send(publisher);
}

static void publish_begin(struct connection *connection) {
  if (connection->parser == NULL) {
    frames_handshake(connection);
    return;
  }
  connection->sequence = published + 1;
  if (++waiting < options->connections) return;
  waiting = 0;
  publish_next();
}

static struct payload publish_expected(struct connection *connection) {
  if (connection->parked || connection->sequence != published) {
    fail("connection %u: a delivery too many", connection->index);
  }
  return payload_at(0, published);
}

static void publish_opened(struct connection *connection) {
  if (connection->index == 0) publisher = connection;
  message_done(connection);
}

static void publish_message(struct connection *connection) {
  meter_latency(now_ns() - published_ns);
  meter_count(1, options->size);
  connection->sequence = 0;  // another one would be too many
  served[served_count++] = connection;
  if (served_count < options->connections) return;
  served_count = 0;
  for (int i = 0; i < options->connections; i++) message_done(served[i]);
}

static const struct dialogue publish_dialogue = {publish_expected, publish_opened, publish_message};

static void publish_prepare(const struct options *run) {
  prepare_payloads(run);
  frames_prepare(run, &publish_dialogue);
  served = calloc((size_t)run->connections, sizeof *served);
  if (served == NULL) fail("out of memory");
}

const struct mode publish_mode = {"publish", publish_prepare, publish_begin, frames_send,
                                  frames_receive};
