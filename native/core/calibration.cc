#include "calibration.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "loop_clock.h"

namespace ringpoll {

namespace {

constexpr uint32_t kRounds = 8;
constexpr uint32_t kExchangesPerRound = 4;
constexpr uint32_t kMessageBytes[kSizeClasses] = {64, 2048, 8192, 65536};
constexpr uint32_t kFileBytes = 4096;
constexpr uint32_t kWaitsMax = 64;            // of one exchange: then the route is given up
constexpr int64_t kCloseWaitNs = 1'000'000;   // at a time, for the kernel to let go
constexpr uint64_t kReserveNs = 4'000'000;    // of the time: for taking everything down again

uint64_t steadyNs() {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  return static_cast<uint64_t>(
      duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

void keepLeast(double* least, uint64_t ns) {
  if (*least == 0 || static_cast<double>(ns) < *least) *least = static_cast<double>(ns);
}

// Socket pairs, one for each route, whose near ends the engines watch like any connection.
class Bench {
 public:
  Bench(const CalibrationGround& ground, uint64_t deadlineNs)
      : ground_(ground), deadlineNs_(deadlineNs), message_(kMessageBytes[kSizeClasses - 1], 'x') {
    for (uint32_t i = 0; i < kRouteCount; ++i) open(static_cast<RouteIndex>(i));
  }
  ~Bench() {
    for (Pair& pair : pairs_) close(pair);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  bool late() const { return steadyNs() >= deadlineNs_; }

  // CPU time of one message by the route; 0: there was none.
  uint64_t exchange(RouteIndex route, uint32_t bytes) {
    Pair& pair = pairs_[route];
    if (pair.channel == nullptr || pair.failed) return 0;
    const uint64_t startNs = threadCpuNs(nullptr);
    pair.received = 0;
    pair.failed = ::write(pair.peer, message_.data(), bytes) != static_cast<ssize_t>(bytes);
    for (uint32_t i = 0; pair.received < bytes && !pair.failed; ++i) {
      if (i == kWaitsMax) pair.failed = true;
      turn(0);
    }
    return pair.failed ? 0 : threadCpuNs(nullptr) - startNs;
  }

  // CPU time of a read by the ring; 0: it has none.
  uint64_t readByRing(int fd) {
    if (!ground_.files.offers(FileOp::kRead)) return 0;
    const uint64_t startNs = threadCpuNs(nullptr);
    FileRequest* request = ground_.files.fetch(kFileBytes);
    if (request == nullptr) return 0;
    request->fd = fd;
    request->offset = 0;
    fileDone_ = false;
    ground_.files.submit(*request);
    while (!fileDone_) turn(kCloseWaitNs);  // the kernel writes to our memory until then
    return threadCpuNs(nullptr) - startNs;
  }

 private:
  struct Pair {
    Channel* channel = nullptr;
    Token token = 0;
    int peer = -1;
    uint64_t received = 0;
    bool failed = false;
    bool closed = false;
  };

  Engine& engineOf(const Channel& channel) { return *ground_.engines[channel.engine]; }

  void open(RouteIndex route) {
    const int8_t engine = route == kRoutePoll ? ground_.routing.poll : ground_.routing.uring;
    int fds[2];
    if (engine < 0) return;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return;
    Channel* channel = ground_.context.channels.open(ChannelType::kConnection, fds[0]);
    if (channel == nullptr) {
      ::close(fds[0]);
      ::close(fds[1]);
      return;
    }
    channel->engine = static_cast<uint8_t>(engine);
    channel->route = route == kRouteCompletion ? Route::kCompletion : Route::kReadiness;
    pairs_[route] = {channel, channel->token(), fds[1]};
    if (engineOf(*channel).attach(*channel) != 0) {
      pairs_[route].failed = true;
      return;
    }
    engineOf(*channel).receive(*channel);
  }

  void close(Pair& pair) {
    if (pair.channel == nullptr) return;
    pair.channel->state = ChannelState::kClosing;
    engineOf(*pair.channel).close(*pair.channel);
    turn(0);
    while (!pair.closed) turn(kCloseWaitNs);
    ground_.context.channels.release(*pair.channel);
    ::close(pair.peer);
  }

  // Like the loop's own: the second engine is looked at when the first one has been.
  void turn(int64_t timeoutNs) {
    for (auto& engine : ground_.engines) {
      engine->wait(engine == ground_.engines.front() ? timeoutNs : 0);
      engine->reap();
    }
    ReadyQueue& ready = ground_.context.ready;
    for (size_t i = 0; i < ready.size(); ++i) take(ready[i]);
    ready.clear();
    for (auto& engine : ground_.engines) engine->endTurn();
    ground_.context.buffers.endTurn();
  }

  void take(const Completion& completion) {
    if (completion.kind == OpKind::kFile) {
      FileRequest& request = ground_.files.at(slotOf(completion.token));
      ground_.context.arena.release(ground_.files.fetched(request));
      fileDone_ = true;
      return;
    }
    for (Pair& pair : pairs_) {
      if (pair.channel == nullptr || pair.token != completion.token) continue;
      if (completion.kind == OpKind::kClose) pair.closed = true;
      if (completion.kind != OpKind::kReceive) continue;
      if (completion.result > 0) pair.received += static_cast<uint64_t>(completion.result);
      else pair.failed = true;
    }
  }

  const CalibrationGround& ground_;
  const uint64_t deadlineNs_;
  const std::string message_;
  Pair pairs_[kRouteCount];
  bool fileDone_ = false;
};

void measureReceives(Bench& bench, Calibration* found) {
  for (uint32_t size = 0; size < kSizeClasses; ++size) {
    for (uint32_t i = 0; i < kRouteCount; ++i) {
      for (uint32_t n = 0; n < kExchangesPerRound; ++n) {
        if (bench.late()) return;
        const uint64_t ns = bench.exchange(static_cast<RouteIndex>(i), kMessageBytes[size]);
        if (ns > 0) keepLeast(&found->receiveNs[i][size], ns);
      }
    }
  }
}

void measureFile(Bench& bench, int fd, Calibration* found) {
  char bytes[kFileBytes];
  if (fd < 0 || bench.late()) return;
  const uint64_t startNs = threadCpuNs(nullptr);
  const ssize_t n = ::pread(fd, bytes, sizeof bytes, 0);
  if (n > 0) keepLeast(&found->fileNowNs, threadCpuNs(nullptr) - startNs);
  if (bench.late()) return;
  const uint64_t ns = bench.readByRing(fd);
  if (ns > 0) keepLeast(&found->fileRingNs, ns);
}

}  // namespace

Calibration measureRoutes(const CalibrationGround& ground, uint64_t nsMax) {
  Calibration found;
  const uint64_t startNs = steadyNs();
  // What this program was loaded from: it is there, and in the page cache.
  const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  {
    const uint64_t reserve = nsMax < 2 * kReserveNs ? nsMax / 2 : kReserveNs;
    Bench bench(ground, startNs + nsMax - reserve);
    while (found.rounds < kRounds && !bench.late()) {
      measureReceives(bench, &found);
      measureFile(bench, fd, &found);
      if (!bench.late()) ++found.rounds;
    }
  }
  if (fd >= 0) ::close(fd);
  ground.context.channels.reclaim();
  found.tookNs = steadyNs() - startNs;
  return found;
}

Calibration calibratedOnce(const std::function<Calibration()>& measure, bool* measured) {
  static std::mutex mutex;
  static std::optional<Calibration> known;
  const std::lock_guard<std::mutex> lock(mutex);
  *measured = !known.has_value();
  if (*measured) known = measure();
  return *known;
}

}  // namespace ringpoll
