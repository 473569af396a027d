// The fixed HTTP answer, as a block of copies so that a burst of pipelined requests is one write.
// The Date changes once a second, in place: the length never does.
#ifndef BENCH_LIMITS_HTTP_ANSWER_H
#define BENCH_LIMITS_HTTP_ANSWER_H

#include <time.h>

#include "server.h"

enum { ANSWERS_IN_BLOCK = 512 };

static const char ANSWER_FORMAT[] =
    "HTTP/1.1 200 OK\r\n"
    "Server: c\r\n"
    "Date: %s\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, World!";

static char answers[ANSWERS_IN_BLOCK * 256];
static size_t answer_length;
static time_t answers_made_at;

static void refresh_answers(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec == answers_made_at) return;
  answers_made_at = now.tv_sec;
  struct tm calendar;
  char date[64], one[256];
  gmtime_r(&now.tv_sec, &calendar);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &calendar);
  answer_length = (size_t)snprintf(one, sizeof one, ANSWER_FORMAT, date);
  for (int i = 0; i < ANSWERS_IN_BLOCK; i++) {
    memcpy(answers + (size_t)i * answer_length, one, answer_length);
  }
}

// Where in the block a stream of answers goes on when `owed` bytes of it are still to be sent, and
// how many of them can go in one write.
static const char *owed_answers(size_t owed, size_t *length) {
  size_t offset = (answer_length - owed % answer_length) % answer_length;
  size_t available = ANSWERS_IN_BLOCK * answer_length - offset;
  *length = owed < available ? owed : available;
  return answers + offset;
}

// Counts the empty lines that end a request head; `matched` carries a split one to the next read.
static size_t count_requests(const char *bytes, size_t length, unsigned *matched) {
  static const char END[] = "\r\n\r\n";
  size_t count = 0;
  const char *at = bytes, *stop = bytes + length;
  while (at < stop) {
    if (*matched == 0) {
      at = memchr(at, '\r', (size_t)(stop - at));
      if (at == NULL) return count;
    }
    if (*at == END[*matched]) {
      at++;
      if (++*matched < 4) continue;
      count++;
      *matched = 0;
    } else {
      // A mismatching '\r' may itself begin an end; anything else is passed over.
      if (*matched == 0 || *at != '\r') at++;
      *matched = 0;
    }
  }
  return count;
}

#endif
