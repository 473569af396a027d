// Closed loop: one message in flight per connection. Reading and writing go on side by side, since
// a server that echoes while it reads blocks on a client that only writes.
#include "load.h"

static char scratch[SCRATCH_BYTES];

static void echo_prepare(const struct options *run) { pattern_prepare(run->size); }

static void echo_writable(struct connection *connection) {
  const char *message = pattern_at(connection->index, connection->sequence);
  while (connection->sent < options->size) {
    size_t sent =
        socket_write(connection, message + connection->sent, options->size - connection->sent);
    if (sent == 0) break;
    connection->sent += sent;
  }
  want_writable(connection, connection->sent < options->size);
}

static void echo_begin(struct connection *connection) {
  connection->sequence++;
  connection->sent = connection->received = 0;
  connection->started_ns = now_ns();
  echo_writable(connection);
}

static void echo_readable(struct connection *connection) {
  size_t length = socket_read(connection, scratch, sizeof scratch);
  if (length == 0) return;
  if (connection->parked || connection->received + length > connection->sent) {
    fail("connection %u: the server sent more than it got", connection->index);
  }
  pattern_check(scratch, pattern_at(connection->index, connection->sequence) + connection->received,
                length, connection->index, connection->received);
  connection->received += length;
  if (connection->received < options->size) return;
  meter_latency(now_ns() - connection->started_ns);
  meter_count(1, options->size);
  message_done(connection);
}

const struct mode echo_mode = {"echo", echo_prepare, echo_begin, echo_writable, echo_readable};
