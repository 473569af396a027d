// A loop on a real engine, and peers that are plain non-blocking sockets in the same thread.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "check.h"
#include "loop_fixture.h"

namespace test {

enum class RealEngine { kPoll, kRingReadiness, kRingCompletion, kKqueue };

// A test on each engine, registered under a name of its own: EACH_ENGINE(name) { ... engine ... }
#define EACH_ENGINE(name)                                                              \
  static void run_##name(::test::RealEngine engine);                                   \
  TEST(name##_on_poll) { run_##name(::test::RealEngine::kPoll); }                      \
  TEST(name##_on_ring_readiness) { run_##name(::test::RealEngine::kRingReadiness); }   \
  TEST(name##_on_ring_completion) { run_##name(::test::RealEngine::kRingCompletion); } \
  EACH_ENGINE_KQUEUE(name)                                                             \
  static void run_##name([[maybe_unused]] ::test::RealEngine engine)

#ifdef RINGPOLL_LIBKQUEUE
#define EACH_ENGINE_KQUEUE(name) \
  TEST(name##_on_kqueue) { run_##name(::test::RealEngine::kKqueue); }
#else
#define EACH_ENGINE_KQUEUE(name)
#endif

// Skips the test, with the reason, when the engine is refused here.
#define START_OR_SKIP(real)                      \
  do {                                           \
    const std::string refused = (real).start();  \
    if (!refused.empty()) SKIP(refused.c_str()); \
  } while (false)

inline LoopOptions optionsFor(RealEngine engine) {
  LoopOptions options;
  options.checked = true;
  options.engine = engine == RealEngine::kPoll ? EngineChoice::kPoll : EngineChoice::kUring;
  options.receive =
      engine == RealEngine::kRingCompletion ? ReceiveHint::kCompletion : ReceiveHint::kReadiness;
  return options;
}

class Real {
 public:
  explicit Real(RealEngine engine) : Real(engine, optionsFor(engine)) {}
  Real(RealEngine engine, const LoopOptions& options)
      : js(std::make_unique<LoopFixture>(options)), engine_(engine), options_(options) {}

  std::string start() {
#ifdef RINGPOLL_LIBKQUEUE
    if (engine_ == RealEngine::kKqueue) return js->loop.startWith(makeKqueue);
#endif
    const std::string refused = js->loop.start();
    if (!refused.empty()) return refused;
    if (options_.engine == EngineChoice::kPoll) return "";
    for (const EngineReport& report : js->loop.reports()) {
      if (report.name == "uring" && !report.available) return report.reason;
    }
    return "";
  }

  // A listener on a free port of the loopback interface.
  void listen(Endpoint settings = {}) {
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 0, &address);
    const SocketResult opened = js->loop.listen(address, {}, settings, &endpoint);
    port = localAddress(opened.fd).port;
  }

  Name connect(uint16_t to, uint32_t timeoutMs = 0) {
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", to, &address);
    Token token = 0;
    uint32_t id = 0;
    js->loop.connect(address, nullptr, {}, timeoutMs, &token, &id);
    return {slotOf(token), generationOf(token)};
  }

  bool until(const std::function<bool()>& done) { return js->until(done); }

  std::unique_ptr<LoopFixture> js;
  uint32_t endpoint = 0;
  uint16_t port = 0;

 private:
  RealEngine engine_;
  LoopOptions options_;
};

// The other end of a connection.
class Peer {
 public:
  Peer() = default;
  explicit Peer(uint16_t port) { connect(port); }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&&) = delete;
  ~Peer() { close(); }

  void open(int family = AF_INET) {
    fd_ = ::socket(family, SOCK_STREAM, 0);
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  // Loopback connects are over at once; a listener that is slow to accept does not matter.
  int connect(uint16_t port) {
    if (fd_ < 0) open();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }
  int connectTo(const SocketAddress& address) {
    if (fd_ < 0) open(address.family());
    return ::connect(fd_, address.get(), address.length) == 0 ? 0 : errno;
  }

  // What the socket takes now.
  size_t write(const std::string& bytes, size_t from = 0) {
    const ssize_t n = ::send(fd_, bytes.data() + from, bytes.size() - from, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN) error = errno;
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  // What has arrived, at most `most` bytes.
  std::string read(size_t most = SIZE_MAX) {
    std::string all;
    while (all.size() < most && !ended && error == 0) {
      char buffer[65536];
      const size_t room = std::min(sizeof buffer, most - all.size());
      const ssize_t n = ::recv(fd_, buffer, room, 0);
      if (n > 0) all.append(buffer, static_cast<size_t>(n));
      if (n == 0) ended = true;
      if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
      if (n < 0) error = errno;
    }
    return all;
  }
  void shutdown() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    setResetOnClose(fd_);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void setBuffers(int bytes) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
  int fd() const { return fd_; }

  bool ended = false;  // the FIN was read
  int error = 0;       // errno

 private:
  int fd_ = -1;
};

// Everything that JavaScript would have noted, by connection.
struct Notes {
  struct Connection {
    std::vector<EventKind> kinds;
    std::string bytes;
    int32_t closeResult = 0;
    bool has(EventKind kind) const {
      return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    }
    bool closed() const { return has(EventKind::kClose); }
    int32_t error() const { return closeResult & 0xffffff; }
  };

  void note(const Event& event) {
    if (event.kind == EventKind::kAcceptError) acceptErrors.push_back(event.result);
    if (event.kind == EventKind::kListenerClosed) listenerClosed = true;
    if (event.kind == EventKind::kAcceptError || event.kind == EventKind::kListenerClosed) return;
    Connection& of = connections[event.name];
    if (of.closed()) afterClose = true;
    of.kinds.push_back(event.kind);
    of.bytes += event.bytes;
    if (event.kind == EventKind::kClose) of.closeResult = event.result;
    if (event.kind == EventKind::kOpen || event.kind == EventKind::kConnected) {
      last = event.name;
      ++opened;
    }
    if (event.kind == EventKind::kClose) ++closed;
  }

  std::map<Name, Connection> connections;
  Name last;  // opened or connected last
  uint32_t opened = 0;
  uint32_t closed = 0;
  bool afterClose = false;  // an event came after a close
  bool listenerClosed = false;
  std::vector<int32_t> acceptErrors;
};

inline std::string patternOf(size_t bytes, uint64_t stream) {
  std::string all(bytes, 0);
  for (size_t i = 0; i < bytes; ++i) {
    all[i] = static_cast<char>((stream * 131 + i * 7 + (i >> 8) * 29) & 0xff);
  }
  return all;
}

}  // namespace test
