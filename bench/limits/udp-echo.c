// UDP echo with level-triggered epoll, recvmmsg and sendmmsg: the practical limit of a readiness
// loop. The second argument is how many datagrams a call may move, 32 by default.
#include <sys/epoll.h>

#include "udp.h"

enum { BATCH_MAX = 256, SLOT_BYTES = 65536 };

static struct mmsghdr messages[BATCH_MAX];
static struct iovec vectors[BATCH_MAX];
static struct sockaddr_in addresses[BATCH_MAX];
static char (*slots)[SLOT_BYTES];

static void echo_all(int fd, unsigned batch) {
  for (;;) {
    for (unsigned i = 0; i < batch; i++) {
      vectors[i] = (struct iovec){.iov_base = slots[i], .iov_len = SLOT_BYTES};
      messages[i].msg_hdr = (struct msghdr){.msg_name = &addresses[i],
                                            .msg_namelen = sizeof addresses[i],
                                            .msg_iov = &vectors[i],
                                            .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, messages, batch, MSG_DONTWAIT, NULL);
    if (count < 0) {
      if (errno == EAGAIN) return;
      if (errno == ECONNREFUSED || errno == EINTR) continue;
      die("recvmmsg");
    }
    for (int i = 0; i < count; i++) vectors[i].iov_len = messages[i].msg_len;
    for (int sent = 0; sent < count;) {
      int done = sendmmsg(fd, messages + sent, (unsigned)(count - sent), 0);
      if (done < 0 && errno != ECONNREFUSED && errno != EINTR) die("sendmmsg");
      if (done > 0) sent += done;
    }
    if (count < (int)batch) return;
  }
}

int main(int argc, char **argv) {
  const char *port = argc > 1 ? argv[1] : "0";
  unsigned batch = argc > 2 ? (unsigned)atoi(argv[2]) : 32;
  if (batch < 1 || batch > BATCH_MAX) batch = BATCH_MAX;
  slots = allocate((size_t)batch * SLOT_BYTES);
  int fd = bind_on_loopback(port);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  announce(fd);
  for (;;) {
    if (epoll_wait(poller, &event, 1, -1) > 0) echo_all(fd, batch);
  }
}
