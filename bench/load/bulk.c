// A stream without end through an echo server, as fast as it goes, with at most `window` bytes of
// each connection under way. A message is `size` bytes of it; latency means nothing here.
#include "load.h"

static char scratch[SCRATCH_BYTES];

static void bulk_prepare(const struct options *run) {
  if (run->window < run->size) fail("--window must hold at least one message");
  pattern_prepare(SCRATCH_BYTES);
}

static void bulk_writable(struct connection *connection) {
  uint64_t limit = connection->received + options->window;
  // The first message is sent alone: it tells that the server took the connection.
  if (meter.phase == OPENING || meter.phase == HOLDING) limit = options->size;
  while (connection->sent < limit) {
    const char *from = pattern_stream(connection->index, connection->sent);
    size_t sent = socket_write(connection, from, limit - connection->sent);
    if (sent == 0) break;
    connection->sent += sent;
  }
  want_writable(connection, connection->sent < limit);
}

static void bulk_readable(struct connection *connection) {
  size_t length = socket_read(connection, scratch, sizeof scratch);
  if (length == 0) return;
  if (connection->received + length > connection->sent) {
    fail("connection %u: the server sent more than it got", connection->index);
  }
  pattern_check(scratch, pattern_stream(connection->index, connection->received), length,
                connection->index, connection->received);
  uint64_t before = connection->received / options->size;
  connection->received += length;
  meter_count(connection->received / options->size - before, length);
  if (!connection->answered) {
    if (connection->received == options->size) message_done(connection);
    return;
  }
  bulk_writable(connection);
}

const struct mode bulk_mode = {"bulk", bulk_prepare, bulk_writable, bulk_writable, bulk_readable};
