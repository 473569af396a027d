// The load generator: one thread, one epoll, and a mode that says what a connection sends and what
// it expects back. A run goes through these phases, and only MEASURED counts:
//
//   OPENING -> (HOLDING) -> WARMING -> MEASURED -> DONE
//
// OPENING connects in batches and lets each connection exchange one message, so that no batch
// outruns the server's backlog. HOLDING waits for a word on stdin.
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
  SCRATCH_BYTES = 256 * 1024,  // one read or write is never larger
  OPEN_BATCH = 128,            // below any server's default backlog
  NS_PER_S = 1000000000,
};

enum phase { OPENING, HOLDING, WARMING, MEASURED, DONE };

struct options {
  const char *mode;
  int port;
  int connections;
  size_t size;          // bytes of a message
  int depth;            // pipelined requests (http) or messages (websocket) in a batch
  size_t window;        // bytes in flight on a connection (bulk)
  int sources;          // local addresses 127.0.0.2 and up to connect from; 0: the kernel's choice
  double seconds;       // of the measured phase; of holding in mode idle
  double warm_up;       // seconds
  uint64_t messages;    // ends the measured phase early; 0: no limit
  double rate;          // messages a second, over all connections; 0: as fast as answers come
  int server_pid;       // whose CPU time is read at the edges of the measured phase; 0: nobody's
  bool wait;            // hold before the warm-up until stdin says go
  const char *request;  // file with one HTTP request; NULL: a plain GET /
  long body_length;     // what each HTTP answer must have; -1: anything
  const char *path;     // of a WebSocket
  bool text;            // messages of WebSocket are text
  bool deflate;         // they are JSON, and compressed
  bool tls;             // everything goes over TLS
  bool tls_1_2;         // over 1.2, not 1.3
  bool resume;          // sessions, in mode handshake
};

// cpu.c: what a process has used up so far.
struct cpu_usage {
  uint64_t total_ns;    // the process CPU clock: exact, every thread, also those that ended
  uint64_t user_ticks;  // the kernel's split of it, sampled at its timer ticks
  uint64_t system_ticks;
};
bool cpu_read(int pid, struct cpu_usage *usage);
void cpu_print(FILE *out, const struct cpu_usage *from, const struct cpu_usage *to);

// split.c: samples of where a process runs, between the two calls; none where that is not allowed.
struct cpu_split {
  uint64_t user_samples, system_samples;
};
void split_start(int pid);
struct cpu_split split_end(void);

// histogram.c: latencies in ns, in buckets 1/64 of their value wide.
enum { HISTOGRAM_BUCKETS = 64 * 42 };
struct histogram {
  uint64_t count, max;
  uint64_t buckets[HISTOGRAM_BUCKETS];
};
void histogram_add(struct histogram *histogram, uint64_t ns);
double histogram_percentile_us(const struct histogram *histogram, double percentile);

// pattern.c: the bytes that are sent, and the check of those that come back.
void pattern_prepare(size_t longest);
void pattern_to_text(void);  // every byte becomes an ASCII letter, digit or sign
const char *pattern_at(uint32_t connection, uint64_t sequence);
const char *pattern_stream(uint32_t connection, uint64_t position);
void pattern_check(const char *received, const char *expected, size_t length, uint32_t connection,
                   uint64_t position);

// meter.c: phases, counts and the report.
struct meter {
  const struct options *options;
  enum phase phase;
  uint64_t phase_ends_ns;  // 0: no end in time
  uint64_t started_ns, ended_ns;
  uint64_t messages, bytes;  // of the measured phase
  uint64_t all_messages;     // of every phase: what a trace of the whole run saw
  struct cpu_usage cpu_start, cpu_end;
  struct cpu_split split;
  struct histogram latency;
};
extern struct meter meter;
uint64_t now_ns(void);
void meter_start(const struct options *options);
void meter_enter(enum phase phase);
bool meter_tick(uint64_t now);  // moves on when the time is up; true when the phase changed
int meter_wait_ms(uint64_t now);
static inline void meter_count(uint64_t messages, uint64_t bytes) {
  meter.all_messages += messages;
  if (meter.phase != MEASURED) return;
  meter.messages += messages;
  meter.bytes += bytes;
}
static inline void meter_latency(uint64_t ns) {
  if (meter.phase == MEASURED) histogram_add(&meter.latency, ns);
}
void meter_report(void);
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

// connection.c: sockets.
struct connection {
  int fd;
  uint32_t index;
  bool parked;              // its message is answered and no other was begun
  bool wants_writable;      // a write was short: EPOLLOUT is watched
  bool answered;            // has had an answer at all
  uint64_t sequence;        // of the message in flight
  uint64_t turns;           // messages that were begun at a fixed rate
  uint64_t sent, received;  // bytes; of the message (echo, http) or of the stream (bulk)
  uint64_t started_ns;
  void *parser;   // of the modes http, websocket and publish
  void *ssl;      // with TLS
  void *session;  // that the next connection of this slot resumes
};
int socket_connect(int source_index, bool *connecting);
void socket_watch(int poller, int operation, int fd, uint32_t events, void *data);
// Both return the bytes moved, 0 when the kernel would block; the peer's end is a failure.
size_t socket_write(struct connection *connection, const char *from, size_t length);
size_t socket_read(struct connection *connection, char *into, size_t length);

// secure.c: TLS below the sockets.
void secure_prepare(void);
void secure_begin(struct connection *connection);  // its socket may still be connecting
size_t secure_write(struct connection *connection, const char *from, size_t length);
size_t secure_read(struct connection *connection, char *into, size_t length);
bool secure_reused(const struct connection *connection);
void secure_end(struct connection *connection);  // says close_notify; the socket stays open
const char *secure_negotiated(void);  // version and cipher; empty before the first answer

// A mode begins a message on a connection, and is told when the socket can go on.
struct mode {
  const char *name;
  void (*prepare)(const struct options *options);
  void (*begin)(struct connection *connection);
  void (*writable)(struct connection *connection);
  void (*readable)(struct connection *connection);
};
extern const struct mode echo_mode, bulk_mode, http_mode, websocket_mode, publish_mode;

// drive.c: the connections, and the phases of a measured run.
extern const struct options *options;
extern int poller;
extern bool stdin_ready;
void drive(const struct mode *mode);
void open_connections(const struct mode *mode);  // returns when each had its first answer
void watch_stdin(void);
void pump(int timeout_ms);  // waits for events and hands them to the mode
void begin_all(void);       // a message on every parked connection
bool all_parked(void);
void message_done(struct connection *connection);  // begins the next one, or parks
void want_writable(struct connection *connection, bool wanted);

// pace.c: a fixed rate.
void pace_start(uint64_t now, int connections);
uint64_t pace_moment(const struct connection *connection);  // of its next message
bool pace_next(uint64_t now, uint32_t *index);  // whose moment has come; false: nobody's is left
void pace_wait(uint64_t now, int most_ms);      // until a moment or an event

// idle.c, accept.c, handshake.c, storm.c: runs of another shape.
void run_idle(const struct mode *mode);  // with this mode's messages
// Each of options->connections slots has one connection after the other, until the time is up.
void run_slots(void (*open_slot)(struct connection *), void (*on_event)(struct connection *));
void run_accept(void);
void run_handshake(void);
void run_storm(void);

// datagram.c: UDP.
void run_datagrams(void);

#endif
