// UDP echo with a multishot recvmsg of io_uring, which takes a provided buffer for each datagram:
// the practical limit of datagrams by completion. What one round brought leaves by one sendmmsg, or
// by a sendmsg of the ring each: `udp-uring PORT [sendmmsg|ring]`.
#include <stdbool.h>

#include "ring.h"
#include "udp.h"

enum { ROUND_MAX = 256, NAME_BYTES = sizeof(struct sockaddr_in) };

// What a buffer of the ring holds: the kernel's header, the sender's address, the datagram.
static struct msghdr shape = {.msg_namelen = NAME_BYTES};
static struct mmsghdr messages[ROUND_MAX];
static struct iovec vectors[ROUND_MAX];
static int used[ROUND_MAX];
static unsigned round_count;

static void submit_receive_of(int fd) {
  struct io_uring_sqe *entry = next_entry(RECEIVE);
  io_uring_prep_recvmsg_multishot(entry, fd, &shape, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = BUFFER_GROUP;
}

static void answer(int id, const struct io_uring_cqe *completion) {
  struct io_uring_recvmsg_out *out =
      io_uring_recvmsg_validate(buffer_at(id), completion->res, &shape);
  if (out == NULL) {
    give_buffer(id);
    return;
  }
  unsigned i = round_count++;
  vectors[i] =
      (struct iovec){.iov_base = io_uring_recvmsg_payload(out, &shape),
                     .iov_len = io_uring_recvmsg_payload_length(out, completion->res, &shape)};
  messages[i].msg_hdr = (struct msghdr){.msg_name = io_uring_recvmsg_name(out),
                                        .msg_namelen = NAME_BYTES,
                                        .msg_iov = &vectors[i],
                                        .msg_iovlen = 1};
  used[i] = id;
}

// False: the receive has ended, and goes on when asked again.
static bool on_received(const struct io_uring_cqe *completion) {
  const int id = taken_buffer(completion);
  if (completion->res >= 0 && id != NO_BUFFER) answer(id, completion);
  if (completion->res < 0 && completion->res != -ENOBUFS && completion->res != -ECONNREFUSED) {
    check(completion->res, "recvmsg");
  }
  return (completion->flags & IORING_CQE_F_MORE) != 0;
}

static void send_by_call(int fd) {
  for (unsigned sent = 0; sent < round_count;) {
    int done = sendmmsg(fd, messages + sent, round_count - sent, 0);
    if (done < 0 && errno != ECONNREFUSED && errno != EINTR) die("sendmmsg");
    if (done > 0) sent += (unsigned)done;
  }
}

// Each is done when io_uring_submit() returns, unless the socket's buffer is full.
static void send_by_ring(int fd) {
  for (unsigned i = 0; i < round_count; i++) {
    struct io_uring_sqe *entry = next_entry(SEND);
    io_uring_prep_sendmsg(entry, fd, &messages[i].msg_hdr, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  }
  io_uring_submit(&ring);
}

static void serve(int fd, void (*send_all)(int)) {
  submit_receive_of(fd);
  announce(fd);
  for (;;) {
    int result = io_uring_submit_and_wait(&ring, 1);
    if (result < 0 && result != -EINTR && result != -EBUSY) check(result, "io_uring_enter");
    unsigned head, count = 0;
    bool receiving = true;
    struct io_uring_cqe *completion;
    round_count = 0;
    io_uring_for_each_cqe(&ring, head, completion) {
      if (completion->user_data == RECEIVE && !on_received(completion)) receiving = false;
      if (++count == ROUND_MAX) break;
    }
    io_uring_cq_advance(&ring, count);
    send_all(fd);
    for (unsigned i = 0; i < round_count; i++) give_buffer(used[i]);
    if (!receiving) submit_receive_of(fd);
  }
}

int main(int argc, char **argv) {
  const char *sends = argc > 2 ? argv[2] : "sendmmsg";
  int fd = bind_on_loopback(argc > 1 ? argv[1] : "0");
  open_ring();
  open_buffers();
  if (strcmp(sends, "sendmmsg") == 0) serve(fd, send_by_call);
  if (strcmp(sends, "ring") == 0) serve(fd, send_by_ring);
  fprintf(stderr, "usage: udp-uring PORT [sendmmsg|ring]\n");
  return 2;
}
