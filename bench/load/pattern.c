// What is sent is a window on one table of pseudo-random bytes; where the window starts depends on
// the connection and the message. So bytes that come back to the wrong connection, out of order,
// twice or from a reused buffer do not match, and sending and checking costs no generation.
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { PERIOD = 65521 };  // a prime: no power-of-two size lines up with it

static char *table;  // PERIOD bytes, and as many of them again as the longest window needs

static size_t table_bytes;

static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

void pattern_prepare(size_t longest) {
  if (longest < SCRATCH_BYTES) longest = SCRATCH_BYTES;
  table_bytes = PERIOD + longest;
  table = malloc(table_bytes);
  if (table == NULL) fail("out of memory");
  for (size_t i = 0; i < PERIOD; i++) table[i] = (char)mix(i);
  for (size_t i = PERIOD; i < PERIOD + longest; i++) table[i] = table[i - PERIOD];
}

void pattern_to_text(void) {
  for (size_t i = 0; i < table_bytes; i++) table[i] = (char)(' ' + (table[i] & 63));
}

const char *pattern_at(uint32_t connection, uint64_t sequence) {
  return table + mix(((uint64_t)connection << 40) ^ sequence) % PERIOD;
}

const char *pattern_stream(uint32_t connection, uint64_t position) {
  return table + (mix(connection) % PERIOD + position) % PERIOD;
}

void pattern_check(const char *received, const char *expected, size_t length, uint32_t connection,
                   uint64_t position) {
  if (memcmp(received, expected, length) == 0) return;
  size_t at = 0;
  while (received[at] == expected[at]) at++;
  fail("connection %u: byte %lu came back as 0x%02x, not 0x%02x", connection, position + at,
       (unsigned char)received[at], (unsigned char)expected[at]);
}
