// Documents of JSON for permessage-deflate. They are compressed once, beforehand, so that sending
// costs no more than without; what comes back is inflated and compared. zlib is found at run time:
// nobody needs its headers to run the other modes.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "websocket.h"

enum { DOCUMENTS = 16, RAW = -15, LEVEL = 6, MEMORY_LEVEL = 8, SYNC_FLUSH = 2, DEFLATED = 8 };

// z_stream of zlib 1.x.
struct z_stream {
  const unsigned char *next_in;
  unsigned avail_in;
  unsigned long total_in;
  unsigned char *next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char *message;
  void *state, *allocate, *release, *opaque;
  int data_type;
  unsigned long adler, reserved;
};

static int (*inflate_init)(struct z_stream *, int, const char *, int);
static int (*inflate_bytes)(struct z_stream *, int);
static int (*inflate_reset)(struct z_stream *);
static int (*deflate_init)(struct z_stream *, int, int, int, int, int, const char *, int);
static int (*deflate_bytes)(struct z_stream *, int);
static int (*deflate_reset)(struct z_stream *);

static char *documents[DOCUMENTS], *packed[DOCUMENTS];
static size_t document_bytes, packed_lengths[DOCUMENTS];
static struct z_stream inflater;
static char *inflated, *packed_in;

static void *found(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (function == NULL) fail("zlib has no %s", name);
  return function;
}

static void open_zlib(void) {
  void *library = dlopen("libz.so.1", RTLD_NOW);
  if (library == NULL) fail("no libz.so.1");
  *(void **)&inflate_init = found(library, "inflateInit2_");
  *(void **)&inflate_bytes = found(library, "inflate");
  *(void **)&inflate_reset = found(library, "inflateReset");
  *(void **)&deflate_init = found(library, "deflateInit2_");
  *(void **)&deflate_bytes = found(library, "deflate");
  *(void **)&deflate_reset = found(library, "deflateReset");
}

// Quotes of a market, as a feed sends them: names that repeat and numbers that do not.
static void write_document(char *into, size_t size, unsigned which) {
  static const char *const NAMES[] = {"ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT"};
  size_t at = (size_t)snprintf(into, size, "{\"feed\":%u,\"quotes\":[", which);
  unsigned random = 2463534242u + which * 7919u;
  for (unsigned row = 0;; row++) {
    random = random * 1664525u + 1013904223u;
    char line[128];
    int length = snprintf(line, sizeof line,
                          "%s{\"symbol\":\"%s\",\"bid\":%u.%02u,\"ask\":%u.%02u,\"volume\":%u}",
                          row == 0 ? "" : ",", NAMES[random >> 29 & 3], random >> 22 & 511,
                          random >> 15 & 63, random >> 21 & 511, random >> 14 & 63, random & 16383);
    if (at + (size_t)length + 2 > size) break;
    memcpy(into + at, line, (size_t)length);
    at += (size_t)length;
  }
  memset(into + at, ' ', size - at);
  memcpy(into + size - 2, "]}", 2);
}

void packed_prepare(size_t size) {
  if (size < 64) fail("--size of JSON must be 64 at least");
  open_zlib();
  struct z_stream deflater;
  memset(&deflater, 0, sizeof deflater);
  const int bytes = (int)sizeof deflater;
  if (deflate_init(&deflater, LEVEL, DEFLATED, RAW, MEMORY_LEVEL, 0, "1.2.11", bytes) != 0 ||
      inflate_init(&inflater, RAW, "1.2.11", bytes) != 0) {
    fail("zlib does not start");
  }
  document_bytes = size;
  const size_t room = size + size / 8 + 64;
  inflated = malloc(size + 1);
  packed_in = malloc(room + 4);
  for (unsigned i = 0; i < DOCUMENTS; i++) {
    documents[i] = malloc(size + 1);
    packed[i] = malloc(room);
    if (inflated == NULL || packed_in == NULL || documents[i] == NULL || packed[i] == NULL) {
      fail("out of memory");
    }
    write_document(documents[i], size, i);
    deflate_reset(&deflater);
    deflater.next_in = (const unsigned char *)documents[i];
    deflater.avail_in = (unsigned)size;
    deflater.next_out = (unsigned char *)packed[i];
    deflater.avail_out = (unsigned)room;
    if (deflate_bytes(&deflater, SYNC_FLUSH) != 0 || deflater.avail_in != 0) fail("deflate fails");
    packed_lengths[i] = room - deflater.avail_out - 4;  // without 00 00 ff ff: section 7.2.1
  }
}

struct payload packed_document(uint32_t connection, uint64_t sequence) {
  return (struct payload){documents[(connection * 7 + sequence) % DOCUMENTS], document_bytes};
}

struct payload packed_bytes(struct payload document) {
  for (unsigned i = 0; i < DOCUMENTS; i++) {
    if (documents[i] == document.bytes) return (struct payload){packed[i], packed_lengths[i]};
  }
  fail("not a document");
}

struct payload packed_inflate(const char *from, size_t length) {
  if (length > document_bytes + document_bytes / 8 + 64) fail("a packed message is too long");
  memcpy(packed_in, from, length);
  memcpy(packed_in + length, "\0\0\xff\xff", 4);
  inflate_reset(&inflater);
  inflater.next_in = (const unsigned char *)packed_in;
  inflater.avail_in = (unsigned)length + 4;
  inflater.next_out = (unsigned char *)inflated;
  inflater.avail_out = (unsigned)document_bytes + 1;
  int status = inflate_bytes(&inflater, SYNC_FLUSH);
  if (status < 0 || inflater.avail_in != 0) fail("a message does not inflate");
  return (struct payload){inflated, document_bytes + 1 - inflater.avail_out};
}
