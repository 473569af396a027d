// The end of a loop whose kernel does not let go at once, as of a read from a disk that hangs.
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "idle_engine.h"
#include "loop_fixture.h"

namespace {

using namespace test;

// Does nothing but hold on to memory for as long as the test says.
class Reluctant final : public IdleEngine {
 public:
  explicit Reluctant(const bool& holds, uint32_t* stops) : holds_(holds), stops_(stops) {}
  bool stop() override {
    ++*stops_;
    return !holds_;
  }

 private:
  const bool& holds_;
  uint32_t* const stops_;
};

struct Stopping {
  Stopping() {
    js.loop.startWith([this](EngineContext) { return std::make_unique<Reluctant>(holds, &stops); });
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 0, &address);
    uint32_t endpoint = 0;
    listenerFd = js.loop.listen(address, {}, {}, &endpoint).fd;
  }

  bool holds = true;
  uint32_t stops = 0;
  int listenerFd = -1;
  LoopFixture js;
};

TEST(loop_that_the_kernel_holds_can_be_stopped_again_until_it_lets_go) {
  Stopping stopping;
  CHECK(!stopping.js.loop.stop());
  // The listener is closed, and its number may be somebody else's: it is not closed again.
  const int other = ::dup(STDIN_FILENO);
  CHECK_EQ(other, stopping.listenerFd);
  CHECK(!stopping.js.loop.stop());
  CHECK(::fcntl(other, F_GETFD) >= 0);
  stopping.holds = false;
  CHECK(stopping.js.loop.stop());
  CHECK_EQ(stopping.stops, 3u);
  CHECK(stopping.js.loop.stop());
  CHECK_EQ(stopping.stops, 3u);  // nothing is left to be asked
  ::close(other);
}

TEST(loop_gives_its_memory_back_if_the_kernel_lets_go_before_it_is_destroyed) {
  bool holds = true;
  uint32_t stops = 0;
  Host host;
  std::vector<int32_t> control(kControlWords);
  std::vector<int32_t> events(kEventCapacity * kRecordWords);
  std::vector<int32_t> commands(kCommandCapacity * kRecordWords);
  SocketCalls sockets;
  FileCalls files;
  {
    const SharedRings rings{control.data(), events.data(), commands.data()};
    Loop loop(host, rings, {}, sockets, files);
    loop.startWith([&](EngineContext) { return std::make_unique<Reluctant>(holds, &stops); });
    CHECK(host.slabs.slabsHeld > 0);
    CHECK(!loop.stop());
    holds = false;
  }
  CHECK_EQ(host.slabs.slabsHeld, 0u);
}

}  // namespace
