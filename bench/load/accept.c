// Connections that live for one byte: connect, send it, get it back, close, and at once the next.
// `connections` of them are under way at a time; the latency is from connect to the byte's return.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static int next_source;

static void open_slot(struct connection *slot) {
  bool connecting;
  slot->sequence++;
  slot->sent = 0;
  slot->started_ns = now_ns();
  slot->fd = socket_connect(next_source++, &connecting);
  socket_watch(poller, EPOLL_CTL_ADD, slot->fd, EPOLLOUT, slot);
}

static void on_event(struct connection *slot) {
  const char *byte = pattern_at(slot->index, slot->sequence);
  if (slot->sent == 0) {
    slot->sent = socket_write(slot, byte, 1);
    if (slot->sent == 1) socket_watch(poller, EPOLL_CTL_MOD, slot->fd, EPOLLIN, slot);
    return;
  }
  char answer;
  if (socket_read(slot, &answer, 1) == 0) return;
  pattern_check(&answer, byte, 1, slot->index, 0);
  meter_latency(now_ns() - slot->started_ns);
  meter_count(1, 1);
  close(slot->fd);
  open_slot(slot);
}

void run_accept(void) {
  pattern_prepare(1);
  run_slots(open_slot, on_event);
}
