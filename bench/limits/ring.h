// What the io_uring limit servers share: the ring, its submission entries, and a ring of provided
// buffers. Written against liburing 2.3, which lacks the later one-call set-up of buffer rings.
#ifndef BENCH_LIMITS_RING_H
#define BENCH_LIMITS_RING_H

#include <liburing.h>
#include <stdint.h>
#include <sys/mman.h>

#include "server.h"

enum {
  SUBMISSIONS = 2048,
  COMPLETIONS = 16384,
  BUFFER_GROUP = 0,
  BUFFER_COUNT = 4096,  // a power of two, as the kernel wants it
  BUFFER_BYTES = 4096,
  NO_BUFFER = -1,
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *buffer_memory;
static unsigned free_buffers;

// What a completion is about travels in the low bits of the pointer to its connection.
enum operation { ACCEPT, RECEIVE, SEND, READABLE, WRITABLE, OPERATION_MASK = 7 };

static uint64_t tag(const void *connection, enum operation operation) {
  return (uint64_t)(uintptr_t)connection | operation;
}

static void check(int result, const char *what) {
  if (result >= 0) return;
  errno = -result;
  die(what);
}

static void open_ring(void) {
  struct io_uring_params params = {
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
               IORING_SETUP_CQSIZE,
      .cq_entries = COMPLETIONS,
  };
  check(io_uring_queue_init_params(SUBMISSIONS, &ring, &params), "io_uring_setup");
  io_uring_register_ring_fd(&ring);
}

static struct io_uring_sqe *next_entry(uint64_t user_data) {
  struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
  while (entry == NULL) {
    io_uring_submit(&ring);
    entry = io_uring_get_sqe(&ring);
  }
  // Set here, since the prep helpers that callers use next leave this field alone.
  io_uring_sqe_set_data64(entry, user_data);
  return entry;
}

static void submit_accept(int listener) {
  struct io_uring_sqe *entry = next_entry(tag(NULL, ACCEPT));
  io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// The accepted socket, or -1 when there is none; renews the accept when the kernel ended it.
static int accepted(const struct io_uring_cqe *completion, int listener) {
  if (!(completion->flags & IORING_CQE_F_MORE)) submit_accept(listener);
  if (completion->res >= 0) return completion->res;
  if (completion->res != -ECONNABORTED && completion->res != -EINTR) {
    check(completion->res, "accept");
  }
  return -1;
}

static inline char *buffer_at(int id) { return buffer_memory + (size_t)id * BUFFER_BYTES; }

static inline void give_buffer(int id) {
  io_uring_buf_ring_add(buffers, buffer_at(id), BUFFER_BYTES, (unsigned short)id,
                        io_uring_buf_ring_mask(BUFFER_COUNT), 0);
  io_uring_buf_ring_advance(buffers, 1);
  free_buffers++;
}

// The provided buffer that a completion filled, or NO_BUFFER.
static inline int taken_buffer(const struct io_uring_cqe *completion) {
  if (!(completion->flags & IORING_CQE_F_BUFFER)) return NO_BUFFER;
  free_buffers--;
  return (int)(completion->flags >> IORING_CQE_BUFFER_SHIFT);
}

static inline void open_buffers(void) {
  size_t ring_bytes = BUFFER_COUNT * sizeof(struct io_uring_buf);
  buffers = mmap(NULL, ring_bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  buffer_memory = mmap(NULL, (size_t)BUFFER_COUNT * BUFFER_BYTES, PROT_READ | PROT_WRITE,
                       MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (buffers == MAP_FAILED || buffer_memory == MAP_FAILED) die("mmap");
  struct io_uring_buf_reg registration = {
      .ring_addr = (uintptr_t)buffers, .ring_entries = BUFFER_COUNT, .bgid = BUFFER_GROUP};
  check(io_uring_register_buf_ring(&ring, &registration, 0), "io_uring_register_buf_ring");
  io_uring_buf_ring_init(buffers);
  for (int id = 0; id < BUFFER_COUNT; id++) give_buffer(id);
}

// A multishot receive that takes a provided buffer for each piece that arrives.
static inline void submit_receive(int fd, uint64_t user_data) {
  struct io_uring_sqe *entry = next_entry(user_data);
  io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = BUFFER_GROUP;
}

// Submits, waits for at least one completion, and hands over each of them in order.
static void run_ring(int listener, void (*handle)(int listener, const struct io_uring_cqe *),
                     void (*after_batch)(void)) {
  submit_accept(listener);
  announce(listener);
  for (;;) {
    int result = io_uring_submit_and_wait(&ring, 1);
    if (result < 0 && result != -EINTR && result != -EBUSY) check(result, "io_uring_enter");
    unsigned head, count = 0;
    struct io_uring_cqe *completion;
    io_uring_for_each_cqe(&ring, head, completion) {
      handle(listener, completion);
      count++;
    }
    io_uring_cq_advance(&ring, count);
    if (after_batch != NULL) after_batch();
  }
}

#endif
