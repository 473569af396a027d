// A fixed HTTP answer on epoll: keep-alive, pipelining, one write for everything a read asked for.
// It parses nothing but the end of a request head: the practical limit of an HTTP server here.
#include <sys/epoll.h>

#include "http-answer.h"

enum { BUFFER_BYTES = 64 * 1024, EVENTS = 512 };

struct connection {
  int fd;
  unsigned matched;  // bytes of an empty line that the last read ended in
  size_t owed;       // bytes of answers the kernel did not take yet
};

static int poller;
static char buffer[BUFFER_BYTES];

static void drop(struct connection *connection) {
  close(connection->fd);
  free(connection);
}

static void watch(struct connection *connection, int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(poller, operation, connection->fd, &event) < 0) die("epoll_ctl");
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno == EAGAIN) return;
      die("accept4");
    }
    struct connection *connection = allocate(sizeof *connection);
    connection->fd = fd;
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
  }
}

// Sends what is owed; returns 0 when the connection is gone.
static int send_owed(struct connection *connection) {
  while (connection->owed > 0) {
    size_t length;
    const char *from = owed_answers(connection->owed, &length);
    ssize_t sent = write(connection->fd, from, length);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) return 1;
      drop(connection);
      return 0;
    }
    connection->owed -= (size_t)sent;
    if ((size_t)sent < length) return 1;
  }
  return 1;
}

static void answer(struct connection *connection) {
  ssize_t received = read(connection->fd, buffer, BUFFER_BYTES);
  if (received <= 0) {
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    drop(connection);
    return;
  }
  connection->owed = count_requests(buffer, (size_t)received, &connection->matched) * answer_length;
  if (!send_owed(connection)) return;
  if (connection->owed > 0) watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
}

static void flush(struct connection *connection) {
  if (!send_owed(connection)) return;
  if (connection->owed == 0) watch(connection, EPOLL_CTL_MOD, EPOLLIN);
}

int main(int argc, char **argv) {
  int listener = listen_on_loopback(argc > 1 ? argv[1] : "0");
  refresh_answers();
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
  announce(listener);

  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(poller, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    refresh_answers();
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      if (connection == NULL) {
        accept_all(listener);
      } else if (connection->owed > 0) {
        flush(connection);
      } else {
        answer(connection);
      }
    }
  }
}
