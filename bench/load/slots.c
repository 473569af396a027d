// Slots, each of which has one connection after the other: `connections` are under way at a time.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "load.h"

enum { EVENTS = 1024 };

void run_slots(void (*open_slot)(struct connection *), void (*on_event)(struct connection *)) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) fail("epoll_create1: %s", strerror(errno));
  struct connection *slots = calloc((size_t)options->connections, sizeof *slots);
  if (slots == NULL) fail("out of memory");
  meter_enter(WARMING);
  for (int i = 0; i < options->connections; i++) {
    slots[i].index = (uint32_t)i;
    open_slot(&slots[i]);
  }
  static struct epoll_event events[EVENTS];
  while (meter.phase != DONE) {
    int count = epoll_wait(poller, events, EVENTS, meter_wait_ms(now_ns()));
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) on_event(events[i].data.ptr);
    meter_tick(now_ns());
  }
  meter_report();
}
