// ClientHellos at a fixed rate: connect, send one, and close when the server's flight is there. The
// server does nearly all of its work for a handshake, and this program nearly none, so that one CPU
// makes thousands a second. All of them are the same bytes, with random ones and a key share that
// were made once.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 1024, HANDSHAKE_RECORD = 22 };

static char hello[4096];
static size_t hello_length;
static char scratch[SCRATCH_BYTES];
static int next_source;

// What libssl writes into a pair of sockets of our own.
static void make_hello(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0) fail("socketpair");
  struct connection maker = {.fd = pair[0]};
  secure_begin(&maker);
  secure_write(&maker, "x", 1);
  ssize_t length = read(pair[1], hello, sizeof hello);
  if (length <= 0) fail("no ClientHello");
  hello_length = (size_t)length;
  secure_end(&maker);
  close(pair[0]);
  close(pair[1]);
}

static void open_slot(struct connection *slot) {
  bool connecting;
  slot->sent = 0;
  slot->parked = false;
  slot->started_ns = pace_moment(slot);
  slot->fd = socket_connect(next_source++, &connecting);
  socket_watch(poller, EPOLL_CTL_ADD, slot->fd, EPOLLOUT, slot);
}

static void on_event(struct connection *slot) {
  if (slot->sent == 0) {
    ssize_t sent = send(slot->fd, hello, hello_length, MSG_NOSIGNAL);
    if (sent != (ssize_t)hello_length) fail("connection %u: %s", slot->index, strerror(errno));
    slot->sent = hello_length;
    socket_watch(poller, EPOLL_CTL_MOD, slot->fd, EPOLLIN, slot);
    return;
  }
  ssize_t length = recv(slot->fd, scratch, sizeof scratch, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) fail("connection %u: the server has not answered", slot->index);
  if (scratch[0] != HANDSHAKE_RECORD) fail("connection %u: no ServerHello", slot->index);
  meter_latency(now_ns() - slot->started_ns);
  meter_count(1, (uint64_t)length);
  close(slot->fd);
  slot->parked = true;
}

// A slot that is still busy at its moment misses it: the report's count tells.
void run_storm(void) {
  make_hello();
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct connection *slots = calloc((size_t)options->connections, sizeof *slots);
  if (poller < 0 || slots == NULL) fail("out of memory");
  for (int i = 0; i < options->connections; i++) {
    slots[i].index = (uint32_t)i;
    slots[i].parked = true;
  }
  meter_enter(WARMING);
  pace_start(now_ns(), options->connections);
  static struct epoll_event events[EVENTS];
  while (meter.phase != DONE) {
    uint32_t index;
    while (pace_next(now_ns(), &index)) {
      struct connection *slot = &slots[index];
      if (slot->parked) open_slot(slot);
      slot->turns++;
    }
    pace_wait(now_ns(), meter_wait_ms(now_ns()));
    int count = epoll_wait(poller, events, EVENTS, 0);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) on_event(events[i].data.ptr);
    meter_tick(now_ns());
  }
  meter_report();
}
