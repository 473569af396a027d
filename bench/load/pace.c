// A fixed rate instead of a closed loop. Every connection has its moments, one after the other:
//
//   moment of turn t = start + t / rate, and turn t is connection t mod connections
//
// A message counts from its moment. When the answer before it is late it is sent late, but the time
// that it had to wait is part of its latency: a server that stalls cannot hide how many it held up.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "load.h"

static uint64_t start_ns;
static uint64_t turn;
static uint64_t connection_count;

static uint64_t moment_of(uint64_t which) {
  return start_ns + (uint64_t)((double)which * NS_PER_S / options->rate);
}

void pace_start(uint64_t now, int connections) {
  start_ns = now;
  turn = 0;
  connection_count = (uint64_t)connections;
  prctl(PR_SET_TIMERSLACK, 1);
}

uint64_t pace_moment(const struct connection *connection) {
  return moment_of(connection->index + connection->turns * connection_count);
}

bool pace_next(uint64_t now, uint32_t *index) {
  if (moment_of(turn) > now) return false;
  *index = (uint32_t)(turn++ % connection_count);
  return true;
}

void pace_wait(uint64_t now, int most_ms) {
  uint64_t left = (uint64_t)most_ms * 1000000;
  uint64_t moment = moment_of(turn);
  if (moment <= now) return;
  if (moment - now < left) left = moment - now;
  struct timespec time = {.tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S)};
  struct pollfd ready = {.fd = poller, .events = POLLIN};
  if (ppoll(&ready, 1, &time, NULL) < 0 && errno != EINTR) fail("ppoll: %s", strerror(errno));
}
