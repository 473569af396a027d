// Echo by completion: a multishot receive fills provided buffers of 4 KB, and each buffer is sent
// back by an asynchronous send, one in flight per connection so that the order holds.
//
//   receive completes -> buffer joins the connection's queue -> send -> buffer given back
#ifndef BENCH_LIMITS_ECHO_COMPLETION_H
#define BENCH_LIMITS_ECHO_COMPLETION_H

#include <stdbool.h>

#include "ring.h"

struct completion_connection {
  int fd;
  int first, last;  // queue of filled buffers, linked through queued_next
  unsigned sent;    // bytes of the first buffer that are out
  bool receiving, sending, starved;
  bool ended;  // the peer's FIN or an error came: close when nothing is in flight
  struct completion_connection *next_starved;
};

static int queued_next[BUFFER_COUNT];
static unsigned queued_length[BUFFER_COUNT];
static struct completion_connection *starved_list;

static void receive_into_buffers(struct completion_connection *connection) {
  connection->receiving = true;
  submit_receive(connection->fd, tag(connection, RECEIVE));
}

static void send_first(struct completion_connection *connection) {
  int id = connection->first;
  struct io_uring_sqe *entry = next_entry(tag(connection, SEND));
  io_uring_prep_send(entry, connection->fd, buffer_at(id) + connection->sent,
                     queued_length[id] - connection->sent, MSG_NOSIGNAL);
  connection->sending = true;
}

static void give_first(struct completion_connection *connection) {
  int id = connection->first;
  connection->first = queued_next[id];
  connection->sent = 0;
  give_buffer(id);
}

static void close_when_quiet(struct completion_connection *connection) {
  bool busy = connection->receiving || connection->sending || connection->starved;
  if (!connection->ended || busy || connection->first != NO_BUFFER) return;
  close(connection->fd);
  free(connection);
}

static void on_receive(struct completion_connection *connection,
                       const struct io_uring_cqe *completion) {
  int id = taken_buffer(completion);
  connection->receiving = (completion->flags & IORING_CQE_F_MORE) != 0;
  if (completion->res > 0) {
    queued_length[id] = (unsigned)completion->res;
    queued_next[id] = NO_BUFFER;
    if (connection->first == NO_BUFFER) {
      connection->first = id;
    } else {
      queued_next[connection->last] = id;
    }
    connection->last = id;
    if (!connection->sending) send_first(connection);
    if (!connection->receiving) receive_into_buffers(connection);
    return;
  }
  if (id != NO_BUFFER) give_buffer(id);
  if (completion->res == -ENOBUFS && !connection->ended) {
    // The kernel ended the receive for want of buffers: go on when some came back.
    connection->starved = true;
    connection->next_starved = starved_list;
    starved_list = connection;
    return;
  }
  connection->ended = true;
  close_when_quiet(connection);
}

static void on_send(struct completion_connection *connection, int result) {
  connection->sending = false;
  if (result < 0) {
    while (connection->first != NO_BUFFER) give_first(connection);
    connection->ended = true;
    shutdown(connection->fd, SHUT_RDWR);  // ends the receive, whose completion closes
    close_when_quiet(connection);
    return;
  }
  connection->sent += (unsigned)result;
  if (connection->sent == queued_length[connection->first]) give_first(connection);
  if (connection->first != NO_BUFFER) {
    send_first(connection);
  } else {
    close_when_quiet(connection);
  }
}

static void feed_starved(void) {
  // No more than there are buffers: the others would only be refused again.
  for (unsigned room = free_buffers; room > 0 && starved_list != NULL; room--) {
    struct completion_connection *connection = starved_list;
    starved_list = connection->next_starved;
    connection->starved = false;
    if (connection->ended) {
      close_when_quiet(connection);
    } else {
      receive_into_buffers(connection);
    }
  }
}

static void on_echo_completion(int listener, const struct io_uring_cqe *completion) {
  uint64_t data = completion->user_data;
  struct completion_connection *connection = (void *)(uintptr_t)(data & ~(uint64_t)OPERATION_MASK);
  switch (data & OPERATION_MASK) {
    case ACCEPT: {
      int fd = accepted(completion, listener);
      if (fd < 0) return;
      connection = allocate(sizeof *connection);
      connection->fd = fd;
      connection->first = NO_BUFFER;
      receive_into_buffers(connection);
      return;
    }
    case RECEIVE:
      on_receive(connection, completion);
      return;
    case SEND:
      on_send(connection, completion->res);
      return;
  }
}

static void serve_completion(int listener) {
  open_buffers();
  run_ring(listener, on_echo_completion, feed_starved);
}

#endif
