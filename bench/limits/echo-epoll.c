// TCP echo with level-triggered epoll and synchronous read and write: the practical limit of a
// readiness loop. What a write leaves over is kept, and the connection is not read until it is out.
#include <sys/epoll.h>

#include "server.h"

enum { BUFFER_BYTES = 64 * 1024, EVENTS = 512 };

struct connection {
  int fd;
  char *rest;  // what the kernel did not take; NULL when nothing is pending
  size_t rest_length;
  size_t rest_sent;
};

static int poller;
static char buffer[BUFFER_BYTES];

static void drop(struct connection *connection) {
  close(connection->fd);
  free(connection->rest);
  free(connection);
}

static void watch(struct connection *connection, unsigned events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event) < 0) die("epoll_ctl");
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
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  }
}

static void keep_rest(struct connection *connection, const char *from, size_t length) {
  connection->rest = allocate(length);
  memcpy(connection->rest, from, length);
  connection->rest_length = length;
  connection->rest_sent = 0;
  watch(connection, EPOLLOUT);
}

static void echo(struct connection *connection) {
  ssize_t received = read(connection->fd, buffer, BUFFER_BYTES);
  if (received <= 0) {
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    drop(connection);
    return;
  }
  ssize_t sent = write(connection->fd, buffer, (size_t)received);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      drop(connection);
      return;
    }
    sent = 0;
  }
  if (sent < received) keep_rest(connection, buffer + sent, (size_t)(received - sent));
}

static void flush(struct connection *connection) {
  ssize_t sent = write(connection->fd, connection->rest + connection->rest_sent,
                       connection->rest_length - connection->rest_sent);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(connection);
    return;
  }
  connection->rest_sent += (size_t)sent;
  if (connection->rest_sent < connection->rest_length) return;
  free(connection->rest);
  connection->rest = NULL;
  watch(connection, EPOLLIN);
}

int main(int argc, char **argv) {
  int listener = listen_on_loopback(argc > 1 ? argv[1] : "0");
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
  announce(listener);

  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(poller, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      if (connection == NULL) {
        accept_all(listener);
      } else if (connection->rest != NULL) {
        flush(connection);
      } else {
        echo(connection);
      }
    }
  }
}
