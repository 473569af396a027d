// Frames of RFC 6455 from the client's side. Every byte of every message that comes is compared;
// pings are answered.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "websocket.h"

enum {
  HEAD_BYTES_MAX = 4096,
  HEADER_BYTES_MAX = 10,
  CONTROL_BYTES_MAX = 125,
  MASKED_HEADER_BYTES_MAX = 14,
  RSV1 = 0x40,
};

// The key of RFC 6455, section 1.3, and the answer to it.
static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

struct frames {
  bool open;
  size_t head_length;  // of the answer to the handshake, as far as it is there
  char *head;
  unsigned char header[HEADER_BYTES_MAX];
  size_t header_length;
  size_t left;      // payload that is still to come
  size_t position;  // in the message
  char control[CONTROL_BYTES_MAX];
  char *packed;  // a compressed payload, as far as it is there
  char *out;     // what is to be sent
  size_t out_room, out_length, out_sent;
};

static const struct dialogue *current;
static char scratch[SCRATCH_BYTES];
static char request[1024];
static size_t request_length;

void frames_prepare(const struct options *run, const struct dialogue *dialogue) {
  current = dialogue;
  const char *extension =
      "permessage-deflate; server_no_context_takeover; "
      "client_no_context_takeover";
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                        "Sec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                        run->path, run->port, KEY, run->deflate ? "Sec-WebSocket-Extensions: " : "",
                        run->deflate ? extension : "", run->deflate ? "\r\n" : "");
  if (length < 0 || (size_t)length >= sizeof request) fail("--path is too long");
  request_length = (size_t)length;
}

static struct frames *frames_of(struct connection *connection) {
  if (connection->parser == NULL) {
    connection->parser = calloc(1, sizeof(struct frames));
    if (connection->parser == NULL) fail("out of memory");
  }
  return connection->parser;
}

static char *room_for(struct frames *frames, size_t bytes) {
  if (frames->out_sent == frames->out_length) frames->out_sent = frames->out_length = 0;
  if (frames->out_length + bytes > frames->out_room) {
    frames->out_room = (frames->out_length + bytes) * 2;
    frames->out = realloc(frames->out, frames->out_room);
    if (frames->out == NULL) fail("out of memory");
  }
  return frames->out + frames->out_length;
}

static uint32_t next_mask(void) {
  static uint32_t state = 2463534242u;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static void queue_frame(struct frames *frames, unsigned first, struct payload payload) {
  const size_t length = payload.length;
  char *at = room_for(frames, length + MASKED_HEADER_BYTES_MAX);
  const char *start = at;
  *at++ = (char)(0x80 | first);
  if (length < 126) {
    *at++ = (char)(0x80 | length);
  } else if (length < 65536) {
    *at++ = (char)(0x80 | 126);
    *at++ = (char)(length >> 8);
    *at++ = (char)length;
  } else {
    *at++ = (char)(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) *at++ = (char)((uint64_t)length >> shift);
  }
  uint32_t mask = next_mask();
  uint64_t both = (uint64_t)mask << 32 | mask;
  memcpy(at, &mask, 4);
  at += 4;
  size_t done = 0;
  for (; done + 8 <= length; done += 8) {
    uint64_t word;
    memcpy(&word, payload.bytes + done, 8);
    word ^= both;
    memcpy(at + done, &word, 8);
  }
  const char *bytes = (const char *)&mask;
  for (; done < length; done++) at[done] = payload.bytes[done] ^ bytes[done & 3];
  frames->out_length += (size_t)(at + length - start);
}

void frames_queue(struct connection *connection, struct payload payload) {
  struct frames *frames = frames_of(connection);
  if (options->deflate)
    queue_frame(frames, TEXT | RSV1, packed_bytes(payload));
  else
    queue_frame(frames, options->text ? TEXT : BINARY, payload);
}

void frames_send(struct connection *connection) {
  struct frames *frames = frames_of(connection);
  while (frames->out_sent < frames->out_length) {
    size_t sent = socket_write(connection, frames->out + frames->out_sent,
                               frames->out_length - frames->out_sent);
    if (sent == 0) break;
    frames->out_sent += sent;
  }
  want_writable(connection, frames->out_sent < frames->out_length);
}

void frames_handshake(struct connection *connection) {
  struct frames *frames = frames_of(connection);
  memcpy(room_for(frames, request_length), request, request_length);
  frames->out_length += request_length;
  frames_send(connection);
}

static bool has_field(const char *head, const char *name, const char *value) {
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, strlen(name)) != 0) continue;
    const char *end = strstr(line + 2, "\r\n");
    const char *at = strstr(line + 2, value);
    if (at != NULL && end != NULL && at < end) return true;
  }
  return false;
}

// Takes the answer to the handshake; gives where the frames begin, or NULL.
static const char *take_head(struct connection *connection, const char *at, const char *end) {
  struct frames *frames = connection->parser;
  if (frames->head == NULL) frames->head = malloc(HEAD_BYTES_MAX + 1);
  if (frames->head == NULL) fail("out of memory");
  while (at < end) {
    if (frames->head_length == HEAD_BYTES_MAX) fail("the head of the answer is too long");
    frames->head[frames->head_length++] = *at++;
    frames->head[frames->head_length] = '\0';
    if (frames->head_length < 4) continue;
    if (memcmp(frames->head + frames->head_length - 4, "\r\n\r\n", 4) != 0) continue;
    if (strncmp(frames->head, "HTTP/1.1 101", 12) != 0) fail("not a 101: %.30s", frames->head);
    if (!has_field(frames->head, "sec-websocket-accept:", ACCEPT)) fail("a wrong accept");
    if (options->deflate &&
        !has_field(frames->head, "sec-websocket-extensions:", "permessage-deflate")) {
      fail("permessage-deflate was not accepted");
    }
    free(frames->head);
    frames->head = NULL;
    frames->open = true;
    return at;
  }
  return NULL;
}

// How long the header is, as far as that can be told.
static size_t header_bytes(const struct frames *frames) {
  if (frames->header_length < 2) return 2;
  unsigned length = frames->header[1] & 127;
  return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static void check_header(struct connection *connection, struct frames *frames) {
  const unsigned char *header = frames->header;
  unsigned opcode = header[0] & 15;
  uint64_t length = header[1] & 127;
  if (length == 126)
    length = (uint64_t)header[2] << 8 | header[3];
  else if (length == 127) {
    length = 0;
    for (int i = 2; i < 10; i++) length = length << 8 | header[i];
  }
  if (!(header[0] & 0x80) || header[0] & 0x30 || header[1] & 0x80) {
    fail("connection %u: a frame that begins %02x %02x", connection->index, header[0], header[1]);
  }
  frames->left = length;
  frames->position = 0;
  if (opcode == PING || opcode == PONG) {
    if (length > CONTROL_BYTES_MAX) fail("connection %u: a long ping", connection->index);
    return;
  }
  bool is_text = options->text || options->deflate;
  if (opcode != (is_text ? TEXT : BINARY)) {
    fail("connection %u: a frame of kind %u", connection->index, opcode);
  }
  size_t expected = current->expected(connection).length;
  if (header[0] & RSV1) {
    if (!options->deflate || length > expected * 2) fail("connection %u: RSV1", connection->index);
    if (frames->packed == NULL) frames->packed = malloc(expected * 2);
    if (frames->packed == NULL) fail("out of memory");
  } else if (length != expected) {
    fail("connection %u: %lu bytes came back, not %lu", connection->index, length, expected);
  }
}

static void frame_done(struct connection *connection, struct frames *frames) {
  unsigned opcode = frames->header[0] & 15;
  frames->header_length = 0;
  if (opcode == PONG) return;
  if (opcode == PING) {
    queue_frame(frames, PONG, (struct payload){frames->control, frames->position});
    frames_send(connection);
    return;
  }
  if (frames->header[0] & RSV1) {
    struct payload expected = current->expected(connection);
    struct payload got = packed_inflate(frames->packed, frames->position);
    if (got.length != expected.length) fail("connection %u: a wrong length", connection->index);
    pattern_check(got.bytes, expected.bytes, expected.length, connection->index, 0);
  }
  current->message(connection);
}

void frames_receive(struct connection *connection) {
  size_t received = socket_read(connection, scratch, sizeof scratch);
  if (received == 0) return;
  struct frames *frames = frames_of(connection);
  const char *at = scratch;
  const char *end = scratch + received;
  if (!frames->open) {
    at = take_head(connection, at, end);
    if (at == NULL) return;
    current->opened(connection);
  }
  while (at < end) {
    if (frames->header_length < header_bytes(frames)) {
      frames->header[frames->header_length++] = (unsigned char)*at++;
      if (frames->header_length < header_bytes(frames)) continue;
      check_header(connection, frames);
    }
    size_t here = (size_t)(end - at) < frames->left ? (size_t)(end - at) : frames->left;
    unsigned opcode = frames->header[0] & 15;
    if (opcode >= CLOSE) {
      memcpy(frames->control + frames->position, at, here);
    } else if (frames->header[0] & RSV1) {
      memcpy(frames->packed + frames->position, at, here);
    } else {
      const char *expected = current->expected(connection).bytes + frames->position;
      pattern_check(at, expected, here, connection->index, frames->position);
    }
    at += here;
    frames->left -= here;
    frames->position += here;
    if (frames->left == 0) frame_done(connection, frames);
  }
}
