// Phases, counts and the report. The server's CPU time is read here, at the very moments that begin
// and end the measured phase, so that it covers exactly the messages counted.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"

struct meter meter;

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static uint64_t after(uint64_t now, double seconds) { return now + (uint64_t)(seconds * NS_PER_S); }

static void read_server_cpu(struct cpu_usage *usage) {
  int pid = meter.options->server_pid;
  if (pid != 0 && !cpu_read(pid, usage)) fail("the server (pid %d) is gone", pid);
}

void meter_start(const struct options *run) {
  meter.options = run;
  meter.phase = OPENING;
}

void meter_enter(enum phase phase) {
  uint64_t now = now_ns();
  meter.phase = phase;
  meter.phase_ends_ns = 0;
  if (phase == WARMING) meter.phase_ends_ns = after(now, meter.options->warm_up);
  if (phase == MEASURED) {
    meter.phase_ends_ns = after(now, meter.options->seconds);
    meter.started_ns = now;
    if (meter.options->server_pid != 0) split_start(meter.options->server_pid);
    read_server_cpu(&meter.cpu_start);
  }
  if (phase == DONE) {
    read_server_cpu(&meter.cpu_end);
    meter.split = split_end();
    meter.ended_ns = now;
  }
}

bool meter_tick(uint64_t now) {
  uint64_t limit = meter.options->messages;
  bool full = meter.phase == MEASURED && limit != 0 && meter.messages >= limit;
  bool late = meter.phase_ends_ns != 0 && now >= meter.phase_ends_ns;
  if (!full && !late) return false;
  meter_enter(meter.phase == WARMING ? MEASURED : DONE);
  return true;
}

int meter_wait_ms(uint64_t now) {
  if (meter.phase_ends_ns == 0) return 100;
  if (now >= meter.phase_ends_ns) return 0;
  return (int)((meter.phase_ends_ns - now) / 1000000) + 1;
}

void meter_report(void) {
  const struct options *run = meter.options;
  double seconds = (double)(meter.ended_ns - meter.started_ns) / NS_PER_S;
  printf("{\"mode\":\"%s\",\"connections\":%d,\"size\":%zu,\"depth\":%d,\"seconds\":%.6f,",
         run->mode, run->connections, run->size, run->depth, seconds);
  printf("\"messages\":%lu,\"bytes\":%lu,\"all_messages\":%lu,\"errors\":0", meter.messages,
         meter.bytes, meter.all_messages);
  if (run->tls) printf(",\"tls\":\"%s\"", secure_negotiated());
  if (meter.latency.count > 0) {
    printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f",
           histogram_percentile_us(&meter.latency, 50), histogram_percentile_us(&meter.latency, 99),
           histogram_percentile_us(&meter.latency, 99.9), (double)meter.latency.max / 1000);
  }
  if (run->server_pid != 0) {
    printf(",\"server_cpu\":");
    cpu_print(stdout, &meter.cpu_start, &meter.cpu_end);
    printf(",\"split\":{\"user\":%lu,\"system\":%lu}", meter.split.user_samples,
           meter.split.system_samples);
  }
  printf("}\n");
}

// Ends the run with a JSON line: a wrong byte or a lost connection makes every number worthless.
void fail(const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char *at = text; *at != '\0'; at++) {
    if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ') *at = '\'';
  }
  printf("{\"mode\":\"%s\",\"errors\":1,\"error\":\"%s\"}\n",
         meter.options == NULL ? "" : meter.options->mode, text);
  exit(1);
}
