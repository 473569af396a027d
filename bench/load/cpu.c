// The CPU time of another process. The process CPU clock has nanoseconds and covers all threads,
// but does not tell user from system; /proc/PID/stat does, in ticks of 10 ms that the kernel
// estimates from samples. The report therefore gives the exact sum and the sampled split.
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

bool cpu_read(int pid, struct cpu_usage *usage) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return false;
  usage->total_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;

  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return false;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  // The command's name, field 2, may hold spaces; it ends at the last parenthesis.
  const char *after_name = strrchr(text, ')');
  if (after_name == NULL) return false;
  return sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                &usage->user_ticks, &usage->system_ticks) == 2;
}

void cpu_print(FILE *out, const struct cpu_usage *from, const struct cpu_usage *to) {
  fprintf(out,
          "{\"total_ns\":%lu,\"user_ticks\":%lu,\"system_ticks\":%lu,\"ticks_per_second\":%ld}",
          to->total_ns - from->total_ns, to->user_ticks - from->user_ticks,
          to->system_ticks - from->system_ticks, sysconf(_SC_CLK_TCK));
}
