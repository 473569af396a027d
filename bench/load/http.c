// HTTP/1.1 requests in batches: `depth` of them leave in one write, and the next batch follows when
// all the answers are there. An answer must be a 200 that is framed by Content-Length.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

enum { HEAD_BYTES_MAX = 16 * 1024, REQUEST_BYTES_MAX = 256 * 1024 };

// What is left of the last read: part of a head, or a body that is still to come.
struct parser {
  int answers_left;  // of this batch
  size_t body_left;
  size_t head_length;
  char head[HEAD_BYTES_MAX];
};

static char *batch;
static size_t batch_length;
static char scratch[HEAD_BYTES_MAX + SCRATCH_BYTES];

static void http_prepare(const struct options *run) {
  static const char plain[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  static char text[REQUEST_BYTES_MAX];
  size_t length = sizeof plain - 1;
  memcpy(text, plain, length);
  if (run->request != NULL) {
    FILE *file = fopen(run->request, "r");
    if (file == NULL) fail("%s: %s", run->request, strerror(errno));
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (length == 0 || length == sizeof text) fail("%s: empty or too long", run->request);
  }
  batch_length = length * (size_t)run->depth;
  batch = malloc(batch_length);
  if (batch == NULL) fail("out of memory");
  for (int i = 0; i < run->depth; i++) memcpy(batch + (size_t)i * length, text, length);
}

static void http_writable(struct connection *connection) {
  while (connection->sent < batch_length) {
    size_t sent =
        socket_write(connection, batch + connection->sent, batch_length - connection->sent);
    if (sent == 0) break;
    connection->sent += sent;
  }
  want_writable(connection, connection->sent < batch_length);
}

static void http_begin(struct connection *connection) {
  if (connection->parser == NULL) connection->parser = calloc(1, sizeof(struct parser));
  struct parser *parser = connection->parser;
  if (parser == NULL) fail("out of memory");
  parser->answers_left = options->depth;
  connection->sequence++;
  connection->sent = 0;
  connection->started_ns = now_ns();
  http_writable(connection);
}

// The Content-Length of a head that ends in an empty line.
static size_t body_length(const struct connection *connection, const char *head, size_t length) {
  static const char status[] = "HTTP/1.1 200";
  static const char name[] = "content-length:";
  if (length < sizeof status || memcmp(head, status, sizeof status - 1) != 0) {
    fail("connection %u: not a 200: %.*s", connection->index, (int)(length < 40 ? length : 40),
         head);
  }
  const char *end = head + length;
  for (const char *line = head; line < end; line++) {
    line = memchr(line, '\n', (size_t)(end - line));
    if (line == NULL) break;
    if ((size_t)(end - line) <= sizeof name) continue;
    if (strncasecmp(line + 1, name, sizeof name - 1) != 0) continue;
    long value = strtol(line + sizeof name, NULL, 10);
    if (value < 0 || (options->body_length >= 0 && value != options->body_length)) {
      fail("connection %u: a body of %ld bytes", connection->index, value);
    }
    return (size_t)value;
  }
  fail("connection %u: an answer without Content-Length", connection->index);
}

static void answer_done(struct connection *connection, struct parser *parser, uint64_t now) {
  if (parser->answers_left-- == 0) fail("connection %u: an answer too many", connection->index);
  meter_latency(now - connection->started_ns);
  meter_count(1, 0);
}

static void http_readable(struct connection *connection) {
  struct parser *parser = connection->parser;
  if (parser == NULL) fail("connection %u: connect failed", connection->index);
  char *at = scratch + parser->head_length;
  size_t received = socket_read(connection, at, SCRATCH_BYTES);
  if (received == 0) return;
  if (meter.phase == MEASURED) meter.bytes += received;
  memcpy(scratch, parser->head, parser->head_length);
  const char *end = at + received;
  at = scratch;
  parser->head_length = 0;
  uint64_t now = now_ns();
  for (;;) {
    if (parser->body_left > 0) {
      size_t here = (size_t)(end - at) < parser->body_left ? (size_t)(end - at) : parser->body_left;
      at += here;
      parser->body_left -= here;
      if (parser->body_left > 0) break;
      answer_done(connection, parser, now);
    }
    if (at == end) break;
    const char *empty_line = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    if (empty_line == NULL) {
      if (end - at > HEAD_BYTES_MAX) fail("connection %u: a head too long", connection->index);
      parser->head_length = (size_t)(end - at);
      memcpy(parser->head, at, parser->head_length);
      break;
    }
    size_t head_length = (size_t)(empty_line + 4 - at);
    parser->body_left = body_length(connection, at, head_length);
    at += head_length;
    if (parser->body_left == 0) answer_done(connection, parser, now);
  }
  if (parser->answers_left == 0 && !connection->parked) message_done(connection);
}

const struct mode http_mode = {"http", http_prepare, http_begin, http_writable, http_readable};
