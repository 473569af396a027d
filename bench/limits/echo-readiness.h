// Echo by readiness: a multishot poll in the ring says that bytes are there, then read and write
// are synchronous, as in an epoll loop. The poll reports edges, so a read goes on until it is
// short.
#ifndef BENCH_LIMITS_ECHO_READINESS_H
#define BENCH_LIMITS_ECHO_READINESS_H

#include <poll.h>
#include <stdbool.h>

#include "ring.h"

enum { READ_BYTES = 64 * 1024 };

struct readiness_connection {
  int fd;
  char *rest;  // what the kernel did not take; NULL when nothing is pending
  size_t rest_length;
  size_t rest_sent;
  bool polled;  // the multishot poll is armed and will complete once more
  bool closing;
};

static char read_buffer[READ_BYTES];

static void poll_readable(struct readiness_connection *connection) {
  struct io_uring_sqe *entry = next_entry(tag(connection, READABLE));
  io_uring_prep_poll_multishot(entry, connection->fd, POLLIN | POLLRDHUP);
  connection->polled = true;
}

static void poll_writable(struct readiness_connection *connection) {
  struct io_uring_sqe *entry = next_entry(tag(connection, WRITABLE));
  io_uring_prep_poll_add(entry, connection->fd, POLLOUT);
}

static void destroy(struct readiness_connection *connection) {
  close(connection->fd);
  free(connection->rest);
  free(connection);
}

// An armed poll holds the socket open, so it is cancelled first; its last completion destroys.
static void drop(struct readiness_connection *connection) {
  connection->closing = true;
  if (!connection->polled) {
    destroy(connection);
    return;
  }
  struct io_uring_sqe *entry = next_entry(tag(NULL, WRITABLE));
  io_uring_prep_poll_remove(entry, tag(connection, READABLE));
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void keep_rest(struct readiness_connection *connection, const char *from, size_t length) {
  connection->rest = allocate(length);
  memcpy(connection->rest, from, length);
  connection->rest_length = length;
  connection->rest_sent = 0;
  poll_writable(connection);
}

// Echoes until the socket is empty. A short read proves that, except for the end of the stream,
// which shares its edge with the bytes before it: then only 0 or EAGAIN is proof.
static void echo(struct readiness_connection *connection, bool until_refused) {
  for (;;) {
    ssize_t received = read(connection->fd, read_buffer, READ_BYTES);
    if (received <= 0) {
      if (received < 0 && errno == EINTR) continue;
      if (received < 0 && errno == EAGAIN) return;
      drop(connection);
      return;
    }
    ssize_t sent = write(connection->fd, read_buffer, (size_t)received);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) {
        drop(connection);
        return;
      }
      sent = 0;
    }
    if (sent < received) {
      keep_rest(connection, read_buffer + sent, (size_t)(received - sent));
      return;
    }
    if (received < READ_BYTES && !until_refused) return;
  }
}

static void on_readable(struct readiness_connection *connection,
                        const struct io_uring_cqe *completion) {
  connection->polled = (completion->flags & IORING_CQE_F_MORE) != 0;
  if (connection->closing) {
    if (!connection->polled) destroy(connection);
    return;
  }
  if (!connection->polled) poll_readable(connection);
  // While something is pending nothing is read: the flush reads on, whatever edges were missed.
  if (connection->rest != NULL) return;
  bool hang_up = completion->res < 0 || (completion->res & (POLLRDHUP | POLLHUP | POLLERR));
  echo(connection, hang_up);
}

static void on_writable(struct readiness_connection *connection) {
  ssize_t sent = write(connection->fd, connection->rest + connection->rest_sent,
                       connection->rest_length - connection->rest_sent);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    drop(connection);
    return;
  }
  if (sent > 0) connection->rest_sent += (size_t)sent;
  if (connection->rest_sent < connection->rest_length) {
    poll_writable(connection);
    return;
  }
  free(connection->rest);
  connection->rest = NULL;
  echo(connection, true);
}

static void on_echo_readiness(int listener, const struct io_uring_cqe *completion) {
  uint64_t data = completion->user_data;
  struct readiness_connection *connection = (void *)(uintptr_t)(data & ~(uint64_t)OPERATION_MASK);
  switch (data & OPERATION_MASK) {
    case ACCEPT: {
      int fd = accepted(completion, listener);
      if (fd < 0) return;
      connection = allocate(sizeof *connection);
      connection->fd = fd;
      poll_readable(connection);
      return;
    }
    case READABLE:
      on_readable(connection, completion);
      return;
    case WRITABLE:
      // Without a connection it is a poll removal that found nothing: the poll had ended already.
      if (connection != NULL) on_writable(connection);
      return;
  }
}

static void serve_readiness(int listener) { run_ring(listener, on_echo_readiness, NULL); }

#endif
