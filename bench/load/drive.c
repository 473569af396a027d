// Runs a mode over many connections: opens them, and moves the phases on. See load.h.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 1024 };
static const double OPENING_SECONDS_MAX = 60;
static const double DRAINING_SECONDS_MAX = 5;

int poller;
bool stdin_ready;

static const struct mode *current;
static struct connection *connections;
static int opened;
static int parked;

bool all_parked(void) { return parked == opened; }

void want_writable(struct connection *connection, bool wanted) {
  if (connection->wants_writable == wanted) return;
  connection->wants_writable = wanted;
  socket_watch(poller, EPOLL_CTL_MOD, connection->fd, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN,
               connection);
}

static void begin_at_its_moment(struct connection *connection) {
  uint64_t moment = pace_moment(connection);
  connection->turns++;
  current->begin(connection);
  connection->started_ns = moment;
}

void message_done(struct connection *connection) {
  connection->answered = true;
  if (meter.phase == WARMING || meter.phase == MEASURED) {
    if (options->rate == 0) {
      current->begin(connection);
      return;
    }
    if (pace_moment(connection) <= now_ns()) {
      begin_at_its_moment(connection);
      return;
    }
  }
  connection->parked = true;
  parked++;
}

static void begin_due(void) {
  uint32_t index;
  while (pace_next(now_ns(), &index)) {
    struct connection *connection = &connections[index];
    // One that is not parked is late, and begins as soon as its answer is there.
    if (!connection->parked) continue;
    connection->parked = false;
    parked--;
    begin_at_its_moment(connection);
  }
}

void begin_all(void) {
  for (int i = 0; i < opened; i++) {
    struct connection *connection = &connections[i];
    if (!connection->parked) continue;
    connection->parked = false;
    parked--;
    current->begin(connection);
  }
}

void pump(int timeout_ms) {
  static struct epoll_event events[EVENTS];
  int count = epoll_wait(poller, events, EVENTS, timeout_ms);
  if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    struct connection *connection = events[i].data.ptr;
    if (connection == NULL) {
      stdin_ready = true;
      continue;
    }
    uint32_t what = events[i].events;
    if (what & EPOLLOUT) {
      // The first time it tells that the connect went through.
      bool begun = connection->started_ns != 0;
      if (!begun) connection->started_ns = now_ns();
      (begun ? current->writable : current->begin)(connection);
    }
    if (what & (EPOLLIN | EPOLLERR | EPOLLHUP)) current->readable(connection);
  }
}

static void open_batch(void) {
  for (int i = 0; i < OPEN_BATCH && opened < options->connections; i++) {
    struct connection *connection = &connections[opened];
    bool connecting;
    connection->index = (uint32_t)opened;
    connection->fd = socket_connect(opened, &connecting);
    connection->wants_writable = true;
    if (options->tls) secure_begin(connection);
    socket_watch(poller, EPOLL_CTL_ADD, connection->fd, EPOLLIN | EPOLLOUT, connection);
    opened++;
  }
}

void open_connections(const struct mode *mode) {
  current = mode;
  mode->prepare(options);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) fail("epoll_create1: %s", strerror(errno));
  connections = calloc((size_t)options->connections, sizeof *connections);
  if (connections == NULL) fail("out of memory");
  uint64_t deadline = now_ns() + (uint64_t)(OPENING_SECONDS_MAX * NS_PER_S);
  while (opened < options->connections || !all_parked()) {
    if (all_parked()) open_batch();
    pump(100);
    if (now_ns() > deadline) {
      fail("only %d of %d connections were answered in time", parked, options->connections);
    }
  }
}

void watch_stdin(void) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  // A file or /dev/null cannot be watched, and is always ready.
  if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) stdin_ready = true;
}

// A socket that is closed with bytes under way resets, and a reset is no fair end for a server. It
// also shows a connection that was forgotten while the others went on.
static void drain(void) {
  uint64_t deadline = now_ns() + (uint64_t)(DRAINING_SECONDS_MAX * NS_PER_S);
  while (!all_parked()) {
    pump(10);
    if (now_ns() > deadline) fail("%d connections were left without an answer", opened - parked);
  }
}

void drive(const struct mode *mode) {
  open_connections(mode);
  if (options->wait) {
    meter_enter(HOLDING);
    printf("{\"phase\":\"open\",\"connections\":%d}\n", opened);
    fflush(stdout);
    watch_stdin();
    uint64_t deadline = now_ns() + (uint64_t)(OPENING_SECONDS_MAX * NS_PER_S);
    while (!stdin_ready && now_ns() < deadline) pump(100);
    epoll_ctl(poller, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    meter.all_messages = 0;
  }
  meter_enter(WARMING);
  const bool paced = options->rate > 0;
  if (paced) pace_start(now_ns(), opened);
  else begin_all();
  while (meter.phase != DONE) {
    if (paced) {
      begin_due();
      pace_wait(now_ns(), meter_wait_ms(now_ns()));
    }
    pump(paced ? 0 : meter_wait_ms(now_ns()));
    meter_tick(now_ns());
  }
  if (mode != &bulk_mode) drain();
  meter_report();
}
