// TLS connections that live for one HTTP request: connect, handshake, one answer, close_notify, and
// at once the next. `connections` of them are under way at a time, and the latency is from connect
// to the answer: with TLS 1.3 only the answer shows that the server is done with its part. With
// `--resume` each connection offers the newest ticket that those before it in its slot were given.
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load.h"

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static const char STATUS[] = "HTTP/1.1 200";
static char scratch[SCRATCH_BYTES];
static int next_source;

static void open_slot(struct connection *slot) {
  bool connecting;
  slot->sent = 0;
  slot->received = 0;
  slot->started_ns = now_ns();
  slot->fd = socket_connect(next_source++, &connecting);
  slot->answered = slot->session != NULL;  // here: whether it has to be resumed
  secure_begin(slot);
  socket_watch(poller, EPOLL_CTL_ADD, slot->fd, EPOLLOUT, slot);
}

static void finish(struct connection *slot) {
  if (secure_reused(slot) != slot->answered) {
    fail("connection %u: %s", slot->index,
         slot->answered ? "not resumed" : "resumed without a session");
  }
  // The first of a slot has nothing to resume, and is not one of those that are measured.
  if (!options->resume || slot->answered) {
    meter_latency(now_ns() - slot->started_ns);
    meter_count(1, slot->received);
  }
  if (options->resume && slot->session == NULL) {
    fail("connection %u: the server gave no ticket before its answer", slot->index);
  }
  secure_end(slot);
  close(slot->fd);
  open_slot(slot);
}

static void on_event(struct connection *slot) {
  if (slot->sent == 0) {
    // The flights of a handshake fit into any send buffer: only the peer is waited for.
    slot->sent = secure_write(slot, REQUEST, sizeof REQUEST - 1);
    socket_watch(poller, EPOLL_CTL_MOD, slot->fd, EPOLLIN, slot);
    return;
  }
  size_t length = secure_read(slot, scratch, sizeof scratch);
  if (length == 0) return;
  if (slot->received == 0 &&
      (length < sizeof STATUS || memcmp(scratch, STATUS, sizeof STATUS - 1) != 0)) {
    fail("connection %u: not a 200", slot->index);
  }
  slot->received += length;
  // Some servers send the body as a record of its own: the last byte of it is what is waited for.
  if (scratch[length - 1] == '!') finish(slot);
}

void run_handshake(void) { run_slots(open_slot, on_event); }
