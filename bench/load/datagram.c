// Echo over UDP: each connection is a connected socket with `depth` datagrams under way, which come
// back in order. A datagram that does not come back within a second ends the run as a failure.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 512, BATCH = 64, BUFFER_BYTES = 4 << 20 };
static const uint64_t LOST_NS = 1000000000;

struct datagrams {
  int fd;
  uint32_t index;
  uint64_t sent, received;  // datagrams
  uint64_t *started_ns;     // of those under way, by their number modulo depth
  uint64_t heard_ns;
};

static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static char *buffers[BATCH];

static void refuse_errors(const char *what, int count) {
  if (count >= 0 || errno == EAGAIN || errno == EINTR) return;
  fail("%s: %s", what, strerror(errno));
}

static void send_more(struct datagrams *of) {
  while (of->sent - of->received < (uint64_t)options->depth) {
    uint64_t room = (uint64_t)options->depth - (of->sent - of->received);
    unsigned count = room < BATCH ? (unsigned)room : BATCH;
    for (unsigned i = 0; i < count; i++) {
      const char *bytes = pattern_at(of->index, of->sent + i);
      vectors[i] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = options->size};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int done = sendmmsg(of->fd, messages, count, MSG_DONTWAIT);
    refuse_errors("sendmmsg", done);
    if (done <= 0) return;
    uint64_t now = now_ns();
    for (int i = 0; i < done; i++) of->started_ns[of->sent++ % (uint64_t)options->depth] = now;
  }
}

static void receive_all(struct datagrams *of) {
  for (;;) {
    for (unsigned i = 0; i < BATCH; i++) {
      vectors[i] = (struct iovec){.iov_base = buffers[i], .iov_len = options->size + 1};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(of->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    refuse_errors("recvmmsg", count);
    if (count <= 0) return;
    uint64_t now = now_ns();
    of->heard_ns = now;
    for (int i = 0; i < count; i++) {
      if (messages[i].msg_len != options->size) fail("a datagram came back with another length");
      pattern_check(buffers[i], pattern_at(of->index, of->received), options->size, of->index, 0);
      meter_latency(now - of->started_ns[of->received++ % (uint64_t)options->depth]);
      meter_count(1, options->size);
    }
    send_more(of);
    if (count < BATCH) return;
  }
}

static void open_datagrams(struct datagrams *of) {
  of->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (of->fd < 0) fail("socket: %s", strerror(errno));
  int bytes = BUFFER_BYTES;
  setsockopt(of->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)options->port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (connect(of->fd, (struct sockaddr *)&address, sizeof address) < 0) {
    fail("connect: %s", strerror(errno));
  }
  of->started_ns = calloc((size_t)options->depth, sizeof *of->started_ns);
  if (of->started_ns == NULL) fail("out of memory");
  socket_watch(poller, EPOLL_CTL_ADD, of->fd, EPOLLIN, of);
  of->heard_ns = now_ns();
}

void run_datagrams(void) {
  pattern_prepare(options->size);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) fail("epoll_create1: %s", strerror(errno));
  for (int i = 0; i < BATCH; i++) {
    buffers[i] = malloc(options->size + 1);
    if (buffers[i] == NULL) fail("out of memory");
  }
  struct datagrams *all = calloc((size_t)options->connections, sizeof *all);
  if (all == NULL) fail("out of memory");
  for (int i = 0; i < options->connections; i++) {
    all[i].index = (uint32_t)i;
    open_datagrams(&all[i]);
  }
  meter_enter(WARMING);
  for (int i = 0; i < options->connections; i++) send_more(&all[i]);
  static struct epoll_event events[EVENTS];
  while (meter.phase != DONE) {
    int count = epoll_wait(poller, events, EVENTS, meter_wait_ms(now_ns()));
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) receive_all(events[i].data.ptr);
    uint64_t now = now_ns();
    for (int i = 0; count == 0 && i < options->connections; i++) {
      if (now - all[i].heard_ns > LOST_NS) fail("connection %d: a datagram was lost", i);
    }
    meter_tick(now);
  }
  meter_report();
}
