// Connections that stay open and silent. Commands on stdin, one a line:
//   touch   one message on every connection, and wait for all the answers
//   cpu     print the CPU time of --server-pid so far
//   quit    close all and end; so does the end of stdin, and the end of --seconds
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static char line[256];
static size_t line_length;

static void say(const char *what, double seconds) {
  printf("{\"phase\":\"%s\",\"connections\":%d,\"seconds\":%.6f}\n", what, options->connections,
         seconds);
  fflush(stdout);
}

static void touch(void) {
  uint64_t started = now_ns();
  begin_all();
  while (!all_parked()) {
    pump(100);
    if (now_ns() - started > 30ULL * NS_PER_S) fail("not every connection answered in 30 s");
  }
  say("touched", (double)(now_ns() - started) / NS_PER_S);
}

static void print_cpu(void) {
  struct cpu_usage none = {0}, used;
  if (!cpu_read(options->server_pid, &used)) fail("the server is gone");
  printf("{\"phase\":\"cpu\",\"server_cpu\":");
  cpu_print(stdout, &none, &used);
  printf("}\n");
  fflush(stdout);
}

static bool obey(const char *command) {
  if (strcmp(command, "quit") == 0) return false;
  if (strcmp(command, "touch") == 0) {
    touch();
  } else if (strcmp(command, "cpu") == 0) {
    print_cpu();
  } else {
    fail("unknown command '%s'", command);
  }
  return true;
}

// Reads what stdin has and obeys each full line; false when it is time to end.
static bool obey_stdin(void) {
  ssize_t length = read(STDIN_FILENO, line + line_length, sizeof line - 1 - line_length);
  if (length <= 0) return length < 0 && errno == EINTR;
  line_length += (size_t)length;
  char *end;
  while ((end = memchr(line, '\n', line_length)) != NULL) {
    *end = '\0';
    bool go_on = obey(line);
    size_t used = (size_t)(end - line) + 1;
    memmove(line, line + used, line_length - used);
    line_length -= used;
    if (!go_on) return false;
  }
  if (line_length == sizeof line - 1) fail("a command is too long");
  return true;
}

void run_idle(const struct mode *mode) {
  uint64_t started = now_ns();
  open_connections(mode);
  meter_enter(HOLDING);
  say("open", (double)(now_ns() - started) / NS_PER_S);
  watch_stdin();
  uint64_t deadline = now_ns() + (uint64_t)(options->seconds * NS_PER_S);
  while (now_ns() < deadline) {
    stdin_ready = false;
    pump(100);
    if (stdin_ready && !obey_stdin()) break;
  }
}
