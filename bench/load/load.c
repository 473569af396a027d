// load MODE --port N [options]: the command line. One JSON line on stdout tells the result.
// Built with: cc -O2 -D_GNU_SOURCE *.c
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

const struct options *options;

static const char USAGE[] =
    "usage: load MODE --port N [options], where MODE is one of\n"
    "  echo bulk accept idle http http-idle handshake storm websocket publish websocket-idle\n"
    "  datagram\n"
    "  --connections N   connections (accept: how many at a time)         1\n"
    "  --size BYTES      of a message                                     64\n"
    "  --depth N         requests (http), messages (websocket) in a batch 1\n"
    "  --window BYTES    in flight on a connection (bulk)                 1048576\n"
    "  --sources N       local addresses to connect from, 127.0.0.2...    0: the kernel's choice\n"
    "  --seconds S       of the measured phase; of holding (idle)         2\n"
    "  --warm-up S       before it                                        0.5\n"
    "  --messages N      end the measured phase early                     0: no limit\n"
    "  --rate N          messages a second (echo, http with depth 1)      0: a closed loop\n"
    "  --server-pid N    read the CPU time of this process                0: none\n"
    "  --wait            hold before the warm-up until stdin says go\n"
    "  --request FILE    one HTTP request to repeat                       a plain GET /\n"
    "  --body-length N   what every HTTP answer must have                 -1: anything\n"
    "  --path PATH       of a WebSocket                                   /\n"
    "  --text            its messages are text                            binary\n"
    "  --deflate         they are JSON, and compressed\n"
    "  --tls             TLS 1.3 with AES-128-GCM; always with handshake, storm\n"
    "  --tls12           the same with TLS 1.2\n"
    "  --resume          sessions (handshake)                             full handshakes\n";

static double number(const char *text, double low, double high) {
  char *end;
  double value = strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(value >= low && value <= high)) {
    fprintf(stderr, "load: '%s' is not a number from %g to %g\n", text, low, high);
    exit(2);
  }
  return value;
}

static struct options parse(int argc, char **argv) {
  static const struct option names[] = {
      {"port", 1, NULL, 'p'},        {"connections", 1, NULL, 'c'}, {"size", 1, NULL, 's'},
      {"depth", 1, NULL, 'd'},       {"window", 1, NULL, 'w'},      {"sources", 1, NULL, 'o'},
      {"seconds", 1, NULL, 't'},     {"warm-up", 1, NULL, 'u'},     {"messages", 1, NULL, 'm'},
      {"server-pid", 1, NULL, 'i'},  {"wait", 0, NULL, 'a'},        {"request", 1, NULL, 'r'},
      {"body-length", 1, NULL, 'b'}, {"rate", 1, NULL, 'e'},        {"path", 1, NULL, 'h'},
      {"text", 0, NULL, 'x'},        {"deflate", 0, NULL, 'z'},     {"tls", 0, NULL, 'l'},
      {"tls12", 0, NULL, '2'},       {"resume", 0, NULL, 'n'},      {NULL, 0, NULL, 0}};
  struct options run = {.connections = 1,
                        .size = 64,
                        .depth = 1,
                        .window = 1 << 20,
                        .seconds = 2,
                        .warm_up = 0.5,
                        .body_length = -1,
                        .path = "/"};
  int name;
  while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
    switch (name) {
      case 'p':
        run.port = (int)number(optarg, 1, 65535);
        break;
      case 'c':
        run.connections = (int)number(optarg, 1, 1000000);
        break;
      case 's':
        run.size = (size_t)number(optarg, 1, 1 << 28);
        break;
      case 'd':
        run.depth = (int)number(optarg, 1, 1024);
        break;
      case 'w':
        run.window = (size_t)number(optarg, 1, 1 << 28);
        break;
      case 'o':
        run.sources = (int)number(optarg, 0, 200);
        break;
      case 't':
        run.seconds = number(optarg, 0, 3600);
        break;
      case 'u':
        run.warm_up = number(optarg, 0, 3600);
        break;
      case 'm':
        run.messages = (uint64_t)number(optarg, 0, 1e15);
        break;
      case 'e':
        run.rate = number(optarg, 1, 1e7);
        break;
      case 'i':
        run.server_pid = (int)number(optarg, 1, 1 << 30);
        break;
      case 'a':
        run.wait = true;
        break;
      case 'r':
        run.request = optarg;
        break;
      case 'b':
        run.body_length = (long)number(optarg, -1, 1e12);
        break;
      case 'h':
        run.path = optarg;
        break;
      case 'x':
        run.text = true;
        break;
      case 'z':
        run.deflate = true;
        break;
      case 'l':
        run.tls = true;
        break;
      case '2':
        run.tls = run.tls_1_2 = true;
        break;
      case 'n':
        run.resume = true;
        break;
      default:
        fputs(USAGE, stderr);
        exit(2);
    }
  }
  if (optind != argc - 1 || run.port == 0 || (run.rate > 0 && run.depth > 1) ||
      (run.rate > 0 && strcmp(argv[optind], "handshake") == 0)) {
    fputs(USAGE, stderr);
    exit(2);
  }
  run.mode = argv[optind];
  if (strcmp(run.mode, "handshake") == 0 || strcmp(run.mode, "storm") == 0) run.tls = true;
  return run;
}

int main(int argc, char **argv) {
  static struct options run;
  run = parse(argc, argv);
  options = &run;
  // A runner that dies takes its load along.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  meter_start(&run);
  if (run.tls) secure_prepare();
  if (strcmp(run.mode, "echo") == 0) {
    drive(&echo_mode);
  } else if (strcmp(run.mode, "bulk") == 0) {
    drive(&bulk_mode);
  } else if (strcmp(run.mode, "http") == 0) {
    drive(&http_mode);
  } else if (strcmp(run.mode, "websocket") == 0) {
    drive(&websocket_mode);
  } else if (strcmp(run.mode, "publish") == 0) {
    drive(&publish_mode);
  } else if (strcmp(run.mode, "websocket-idle") == 0) {
    run_idle(&websocket_mode);
  } else if (strcmp(run.mode, "http-idle") == 0) {
    run_idle(&http_mode);
  } else if (strcmp(run.mode, "handshake") == 0) {
    run_handshake();
  } else if (strcmp(run.mode, "storm") == 0 && run.rate > 0) {
    run_storm();
  } else if (strcmp(run.mode, "accept") == 0 && !run.tls) {
    run_accept();
  } else if (strcmp(run.mode, "datagram") == 0 && !run.tls) {
    run_datagrams();
  } else if (strcmp(run.mode, "idle") == 0) {
    run_idle(&echo_mode);
  } else {
    fputs(USAGE, stderr);
    return 2;
  }
  return 0;
}
