// How the server's CPU time divides into user and system: its threads are sampled by a clock that
// counts only while they run. The kernel's own split (/proc/PID/stat) comes from timer ticks, of
// which there are 250 a second on many kernels; this has sixteen times as many. Without the right
// to it (perf_event_paranoid) there is no split here.
#include <ctype.h>
#include <dirent.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"

enum {
  THREADS_MAX = 64,
  PERIOD_NS = 250000,
  RING_BYTES = 512 * 1024,  // a sample is a header of 8 bytes: room for 16 s of one busy thread
};

struct sampler {
  int fd;
  struct perf_event_mmap_page *page;
};

static struct sampler samplers[THREADS_MAX];
static int sampled;

static void sample_thread(int thread) {
  struct perf_event_attr attributes = {
      .size = sizeof attributes,
      .type = PERF_TYPE_SOFTWARE,
      .config = PERF_COUNT_SW_CPU_CLOCK,
      .sample_period = PERIOD_NS,
      .exclude_hv = 1,
  };
  long fd = syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return;
  size_t length = (size_t)sysconf(_SC_PAGESIZE) + RING_BYTES;
  void *page = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
  if (page == MAP_FAILED) {
    close((int)fd);
    return;
  }
  samplers[sampled++] = (struct sampler){(int)fd, page};
}

void split_start(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *threads = opendir(path);
  if (threads == NULL) return;
  for (struct dirent *entry; (entry = readdir(threads)) != NULL && sampled < THREADS_MAX;) {
    if (isdigit((unsigned char)entry->d_name[0])) sample_thread(atoi(entry->d_name));
  }
  closedir(threads);
}

static void count_samples(const struct sampler *sampler, struct cpu_split *split) {
  const struct perf_event_mmap_page *page = sampler->page;
  const char *data = (const char *)page + page->data_offset;
  uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
  struct perf_event_header header;
  for (uint64_t at = page->data_tail; at < head; at += header.size) {
    // Records are multiples of 8 bytes, and so is the ring: a header never wraps.
    memcpy(&header, data + at % page->data_size, sizeof header);
    if (header.size == 0) break;
    if (header.type != PERF_RECORD_SAMPLE) continue;
    switch (header.misc & PERF_RECORD_MISC_CPUMODE_MASK) {
      case PERF_RECORD_MISC_USER:
        split->user_samples++;
        break;
      case PERF_RECORD_MISC_KERNEL:
        split->system_samples++;
        break;
    }
  }
}

struct cpu_split split_end(void) {
  struct cpu_split split = {0};
  for (int i = 0; i < sampled; i++) {
    ioctl(samplers[i].fd, PERF_EVENT_IOC_DISABLE, 0);
    count_samples(&samplers[i], &split);
    close(samplers[i].fd);
  }
  sampled = 0;
  return split;
}
