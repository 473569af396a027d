// A loop on a scripted kernel, with one listener. Both kinds of engine, so that a test can say what
// happens once and run on each.
#pragma once

#include <string>
#include <vector>

#include "check.h"
#include "core/engine/readiness.h"
#include "loop_fixture.h"
#include "scripted/scripted.h"

namespace test {

enum class Kind { kRing, kPoll };
inline constexpr Kind kBothKinds[] = {Kind::kRing, Kind::kPoll};

struct Connected {
  Name name;
  int fd = -1;
};

class Scripted {
 public:
  explicit Scripted(Kind engineKind, Endpoint settings = {}, LoopOptions options = checkedOptions(),
                    FileCalls* files = nullptr)
      : kind(engineKind), js(options, &kernel, files) {
    js.loop.startWith([this](EngineContext context) {
      return kind == Kind::kRing ? makeScriptedRing(context, kernel)
                                 : makeScriptedPoll(context, kernel);
    });
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 0, &address);
    const SocketResult opened = js.loop.listen(address, {}, settings, &endpoint);
    listenerFd = opened.fd;
  }

  static LoopOptions checkedOptions() {
    LoopOptions options;
    options.checked = true;  // memory given back is poisoned, so a test sees its use
    return options;
  }

  // --- what happens in the kernel, for either kind of engine ---
  void accepts(int fdOrError, bool more = true) {
    if (kind == Kind::kRing) {
      kernel.complete(listenerFd, OpKind::kAccept, fdOrError, more);
    } else {
      kernel.willAccept(listenerFd, fdOrError);
      kernel.edge(listenerFd, Readiness::kIn);
    }
  }
  void arrives(int fd, const std::string& bytes) {
    if (kind == Kind::kRing) {
      kernel.completeReceive(fd, bytes);
    } else {
      kernel.willReceive(fd, bytes);
      kernel.edge(fd, Readiness::kIn);
    }
  }
  // 0: the peer's FIN, or -errno.
  void ends(int fd, int answer = 0) {
    if (kind == Kind::kRing) {
      kernel.complete(fd, OpKind::kReceive, answer);
    } else {
      kernel.willReceive(fd, answer);
      kernel.edge(fd, Readiness::kIn | Readiness::kHup);
    }
  }
  // There is room for so many bytes more, for the send that the engine has.
  void takesMore(int fd, uint32_t bytes) {
    if (kind == Kind::kRing) {
      kernel.completeSend(fd, bytes);
    } else {
      kernel.setRoom(fd, bytes);
      kernel.edge(fd, Readiness::kOut);
    }
  }
  // The same, and the kernel has room for all that comes later.
  void takesAllAfter(int fd, uint32_t bytes) {
    kernel.setRoom(fd, SIZE_MAX);
    if (kind == Kind::kRing) {
      kernel.completeSend(fd, bytes);
    } else {
      kernel.edge(fd, Readiness::kOut);
    }
  }
  void connects(int fd, int answer = 0) {
    if (kind == Kind::kRing) {
      kernel.complete(fd, OpKind::kConnect, answer);
    } else {
      kernel.willReportError(-answer);
      kernel.edge(fd, Readiness::kOut | (answer == 0 ? 0 : Readiness::kHup));
    }
  }

  Connected accept() {
    const int fd = kernel.openSocket();
    accepts(fd);
    for (const Event& event : js.turn()) {
      if (event.kind == EventKind::kOpen) return {event.name, fd};
    }
    return {};
  }
  // Starts a connect call; nothing has come of it yet.
  Connected beginConnect(uint32_t timeoutMs = 0, Endpoint settings = {}) {
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 9, &address);
    Token token = 0;
    uint32_t id = 0;
    js.loop.connect(address, nullptr, settings, timeoutMs, &token, &id);
    const Name name{slotOf(token), generationOf(token)};
    return {name, js.channel(name)->fd};
  }

  // Turns until nothing is left to do; returns all events.
  std::vector<Event> settle() {
    std::vector<Event> all = js.turn();
    for (int i = 0; i < 1000 && (js.loop.hasWork() || kernel.hasNews()); ++i) {
      for (Event& event : js.turn()) all.push_back(std::move(event));
    }
    return all;
  }

  double pending(Name name) const { return js.host.pending[name.slot]; }

  Kind kind;
  ScriptedKernel kernel;
  int listenerFd = -1;
  uint32_t endpoint = 0;
  LoopFixture js;
};

inline std::vector<EventKind> kindsOf(const std::vector<Event>& events) {
  std::vector<EventKind> kinds;
  for (const Event& event : events) kinds.push_back(event.kind);
  return kinds;
}
inline std::string bytesOf(const std::vector<Event>& events) {
  std::string all;
  for (const Event& event : events) all += event.bytes;
  return all;
}
inline bool areKinds(const std::vector<Event>& events, std::vector<EventKind> expected) {
  return kindsOf(events) == expected;
}
// The contract held from the kernel's side; says what did not.
inline void expectContract(const Scripted& scripted) {
  const auto& violations = scripted.kernel.violations();
  CHECK_EQ(violations.empty() ? std::string() : violations.front(), std::string());
}

}  // namespace test
