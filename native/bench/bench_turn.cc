// A whole turn of the loop without JavaScript: flush, wait, dispatch, deliver, flush.
#include <sched.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstdio>
#include <memory>

#include "bench_cases.h"
#include "core/loop/loop.h"
#include "heap_slabs.h"
#include "socket_pair.h"

namespace ringpoll::bench {

namespace {

constexpr int kTriesAtOnce = 100;

class Host final : public LoopHost {
 public:
  uint8_t* allocateSlab(uint32_t index, uint32_t bytes) override {
    return slabs_.allocateSlab(index, bytes);
  }
  void releaseSlab(uint32_t index) override { slabs_.releaseSlab(index); }
  double* growPending(uint32_t slots) override {
    pending_.resize(slots, 0);
    return pending_.data();
  }

 private:
  HeapSlabs slabs_;
  std::vector<double> pending_;
};

// A loop with an echo server in the place of JavaScript.
class EchoLoop {
 public:
  explicit EchoLoop(EngineChoice engine) : options_{engine} { refused_ = loop_.start(); }
  ~EchoLoop() {
    if (client_ >= 0) ::close(client_);
    loop_.stop();
  }
  EchoLoop(const EchoLoop&) = delete;
  EchoLoop& operator=(const EchoLoop&) = delete;

  // Empty, or why the engine that was asked for does not run.
  std::string refusal(const char* engine) {
    if (!refused_.empty()) return refused_;
    for (const EngineReport& report : loop_.reports()) {
      if (report.name == engine && !report.available) return report.reason;
    }
    return "";
  }

  // A connection to the loop over loopback, with a client of our own.
  bool connect() {
    SocketAddress address;
    if (!SocketAddress::fromIp("127.0.0.1", 0, &address)) return false;
    uint32_t endpoint = 0;
    if (loop_.listen(address, ListenOptions{}, Endpoint{}, &endpoint).fd < 0) return false;
    const Token token = loop_.endpoint(endpoint)->listener;
    const Channel* listener = loop_.find(slotOf(token), generationOf(token));
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    auto* name = reinterpret_cast<sockaddr*>(&bound);
    if (::getsockname(listener->fd, name, &length) != 0) return false;
    client_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{standstillMs / 1000, standstillMs % 1000 * 1000};
    ::setsockopt(client_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (client_ < 0 || ::connect(client_, name, length) != 0) return false;
    ::fcntl(client_, F_SETFL, O_NONBLOCK);
    turn();
    return true;
  }

  void turn() {
    loop_.flush();
    if (loop_.turn(0)) {
      do {
        echo(loop_.beginDelivery());
        loop_.endDelivery();
        loop_.flush();
      } while (loop_.moreToDeliver());
    }
    loop_.flush();
    loop_.endTurn();
  }

  // One message there and back.
  bool exchange() {
    char bytes[kMessageBytes] = {};
    if (::send(client_, bytes, sizeof bytes, 0) < 0) return false;
    const auto arrived = [&] {
      turn();
      return ::recv(client_, bytes, sizeof bytes, 0) > 0;
    };
    // Loopback delivers at once, so one turn is enough but for what the kernel does later, which on
    // a busy machine may have to wait for a processor.
    for (int tries = 0; tries < kTriesAtOnce; ++tries) {
      if (arrived()) return true;
    }
    for (const Deadline deadline; !deadline.over(); ::sched_yield()) {
      if (arrived()) return true;
    }
    return false;
  }

 private:
  void echo(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      const int32_t* event = &events_[i * kRecordWords];
      if (event[0] != static_cast<int32_t>(EventKind::kData)) continue;
      const auto used = static_cast<uint32_t>(control_[kCommandCount]++);
      int32_t* command = &commands_[used * kRecordWords];
      command[0] = static_cast<int32_t>(CommandKind::kSend);
      command[1] = event[1];
      command[2] = event[2];
      command[3] = event[6];
      command[4] = event[4];
      command[5] = event[5];
    }
  }

  LoopOptions options_;
  std::string refused_;
  Host host_;
  SocketCalls sockets_;
  std::vector<int32_t> control_ = std::vector<int32_t>(kControlWords);
  std::vector<int32_t> events_ = std::vector<int32_t>(kEventCapacity * kRecordWords);
  std::vector<int32_t> commands_ = std::vector<int32_t>(kCommandCapacity * kRecordWords);
  FileCalls fileCalls_;
  Loop loop_{
      host_, {control_.data(), events_.data(), commands_.data()}, options_, sockets_, fileCalls_};
  int client_ = -1;
};

Sample idle(uint32_t operations, EngineChoice engine, const char* name) {
  auto loop = std::make_unique<EchoLoop>(engine);
  const std::string refused = loop->refusal(name);
  if (!refused.empty()) return refuse(refused);
  if (!loop->connect()) return fail("no connection over loopback");
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) loop->turn();
  return {watch.elapsedNs(), 0, ""};
}

Sample echo(uint32_t operations, EngineChoice engine, const char* name) {
  auto loop = std::make_unique<EchoLoop>(engine);
  const std::string refused = loop->refusal(name);
  if (!refused.empty()) return refuse(refused);
  if (!loop->connect()) return fail("no connection over loopback");
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (!loop->exchange()) return standstill("the echo");
  }
  return {watch.elapsedNs(), uint64_t{operations} * kMessageBytes, ""};
}

}  // namespace

Sample idleTurnPoll(uint32_t operations, const Threads&) {
  return idle(operations, EngineChoice::kPoll, "poll");
}
Sample idleTurnRing(uint32_t operations, const Threads&) {
  return idle(operations, EngineChoice::kUring, "uring");
}
Sample echoTurnPoll(uint32_t operations, const Threads&) {
  return echo(operations, EngineChoice::kPoll, "poll");
}
Sample echoTurnRing(uint32_t operations, const Threads&) {
  return echo(operations, EngineChoice::kUring, "uring");
}

}  // namespace ringpoll::bench
