// A fixed HTTP answer on io_uring: multishot accept, multishot receive into provided buffers, and
// an asynchronous send for everything that is owed, one in flight per connection.
#include <stdbool.h>

#include "http-answer.h"
#include "ring.h"

struct connection {
  int fd;
  unsigned matched;  // bytes of an empty line that the last receive ended in
  size_t owed;       // bytes of answers that are not sent yet
  bool receiving, sending;
  bool ended;  // the peer's FIN or an error came: close when nothing is in flight
};

static void receive_into_buffers(struct connection *connection) {
  connection->receiving = true;
  submit_receive(connection->fd, tag(connection, RECEIVE));
}

static void send_owed(struct connection *connection) {
  size_t length;
  const char *from = owed_answers(connection->owed, &length);
  struct io_uring_sqe *entry = next_entry(tag(connection, SEND));
  io_uring_prep_send(entry, connection->fd, from, length, MSG_NOSIGNAL);
  connection->sending = true;
}

static void close_when_quiet(struct connection *connection) {
  if (!connection->ended || connection->receiving || connection->sending) return;
  close(connection->fd);
  free(connection);
}

static void on_receive(struct connection *connection, const struct io_uring_cqe *completion) {
  int id = taken_buffer(completion);
  connection->receiving = (completion->flags & IORING_CQE_F_MORE) != 0;
  if (completion->res > 0) {
    size_t length = (size_t)completion->res;
    connection->owed += count_requests(buffer_at(id), length, &connection->matched) * answer_length;
    if (connection->owed > 0 && !connection->sending) send_owed(connection);
  } else if (completion->res != -ENOBUFS) {
    connection->ended = true;
  }
  if (id != NO_BUFFER) give_buffer(id);
  // Buffers come back within their own batch, so a refused receive can be renewed at once.
  if (!connection->receiving && !connection->ended) receive_into_buffers(connection);
  close_when_quiet(connection);
}

static void on_send(struct connection *connection, int result) {
  connection->sending = false;
  if (result < 0) {
    connection->ended = true;
    connection->owed = 0;
    shutdown(connection->fd, SHUT_RDWR);  // ends the receive, whose completion closes
  } else {
    connection->owed -= (size_t)result;
    if (connection->owed > 0) send_owed(connection);
  }
  close_when_quiet(connection);
}

static void on_http(int listener, const struct io_uring_cqe *completion) {
  uint64_t data = completion->user_data;
  struct connection *connection = (void *)(uintptr_t)(data & ~(uint64_t)OPERATION_MASK);
  switch (data & OPERATION_MASK) {
    case ACCEPT: {
      int fd = accepted(completion, listener);
      if (fd < 0) return;
      connection = allocate(sizeof *connection);
      connection->fd = fd;
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

int main(int argc, char **argv) {
  int listener = listen_on_loopback(argc > 1 ? argv[1] : "0");
  refresh_answers();
  open_ring();
  open_buffers();
  run_ring(listener, on_http, refresh_answers);
}
