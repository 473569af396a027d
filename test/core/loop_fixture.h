// A loop with a small host in the place of JavaScript: it walks the events of a turn, and what it
// wants goes into the command ring, as lib/loop does it.
#pragma once

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/loop/loop.h"
#include "malloc_slabs.h"

namespace test {

using namespace ringpoll;

struct Name {
  uint32_t slot = 0;
  uint32_t generation = 0;
  bool operator==(const Name&) const = default;
  auto operator<=>(const Name&) const = default;
};

struct Event {
  EventKind kind;
  Name name;
  int32_t result;
  uint32_t offset;
  uint32_t length;
  uint32_t aux0;
  uint32_t endpoint;
  std::string bytes;  // of kData: copied while they are valid

  BlockId block() const { return aux0; }
  int32_t error() const { return result & 0xffffff; }
  Syscall syscall() const { return static_cast<Syscall>(static_cast<uint32_t>(result) >> 24); }
};

class Host final : public LoopHost {
 public:
  uint8_t* allocateSlab(uint32_t index, uint32_t bytes) override {
    return slabs.allocateSlab(index, bytes);
  }
  void releaseSlab(uint32_t index) override { slabs.releaseSlab(index); }
  double* growPending(uint32_t slots) override {
    pending.resize(slots, 0);
    return pending.data();
  }

  MallocSlabs slabs;
  std::vector<double> pending;
};

class LoopFixture {
 public:
  explicit LoopFixture(LoopOptions options = {}, SocketCalls* sockets = nullptr,
                       FileCalls* files = nullptr)
      : control_(kControlWords),
        events_(kEventCapacity * kRecordWords),
        commands_(kCommandCapacity * kRecordWords),
        loop(host, {control_.data(), events_.data(), commands_.data()}, options,
             sockets != nullptr ? *sockets : realSockets_, files != nullptr ? *files : realFiles_) {
  }

  // One turn as the addon does it. Returns its events, which `handler` has seen one by one.
  std::vector<Event> turn(int64_t timeoutNs = 0) {
    std::vector<Event> seen;
    loop.flush();
    bool more = loop.turn(timeoutNs);
    while (more) {
      deliver(&seen);
      more = loop.moreToDeliver();
    }
    loop.flush();
    loop.endTurn();
    return seen;
  }

  // Turns until `done`, at most `limitMs`; false: it did not come to pass.
  bool until(const std::function<bool()>& done, int limitMs = 20'000) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::milliseconds(limitMs);
    while (!done()) {
      if (Clock::now() > deadline) return false;
      turn(1'000'000);
    }
    return true;
  }

  void command(CommandKind kind, Name name, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0,
               uint32_t d = 0, uint32_t e = 0) {
    if (control_[kCommandCount] == static_cast<int32_t>(kCommandCapacity)) loop.flushNow();
    int32_t* words = &commands_[static_cast<uint32_t>(control_[kCommandCount]++) * kRecordWords];
    words[0] = static_cast<int32_t>(kind);
    words[1] = static_cast<int32_t>(name.slot);
    words[2] = static_cast<int32_t>(name.generation);
    words[3] = static_cast<int32_t>(a);
    words[4] = static_cast<int32_t>(b);
    words[5] = static_cast<int32_t>(c);
    words[6] = static_cast<int32_t>(d);
    words[7] = static_cast<int32_t>(e);
  }

  // Few bytes go through the staging block, many from where they are.
  void write(Name name, const std::string& bytes) {
    if (bytes.empty()) return;
    const auto length = static_cast<uint32_t>(bytes.size());
    if (length > kStagedBytesMax || !stagingHolds(length)) {
      loop.sendLarge(name.slot, name.generation, reinterpret_cast<const uint8_t*>(bytes.data()),
                     length, length);
      return;
    }
    const auto slab = static_cast<uint32_t>(control_[kStagingSlab]);
    const auto at = static_cast<uint32_t>(control_[kStagingOffset] + control_[kStagingUsed]);
    std::memcpy(host.slabs.slab(slab) + at, bytes.data(), length);
    control_[kStagingUsed] += static_cast<int32_t>(length);
    host.pending[name.slot] += length;
    command(CommandKind::kSend, name, static_cast<uint32_t>(control_[kStagingBlock]), at, length);
  }
  // Sends received bytes from the block that they lie in.
  void writeFrom(Name name, const Event& data) {
    host.pending[name.slot] += data.length;
    command(CommandKind::kSend, name, data.block(), data.offset, data.length);
  }
  void retain(const Event& data) { command(CommandKind::kRetain, {data.block(), 0}); }
  void release(const Event& data) { command(CommandKind::kRelease, {data.block(), 0}); }

  Channel* channel(Name name) { return loop.find(name.slot, name.generation); }
  // What the bytes of an earlier kData event are now.
  std::string bytesOf(const Event& data) {
    const uint8_t* slab = host.slabs.slab(static_cast<uint32_t>(data.result));
    return {reinterpret_cast<const char*>(slab) + data.offset, data.length};
  }

  static constexpr uint32_t kStagedBytesMax = 32 * 1024;

  Host host;
  std::function<void(const Event&)> handler;

 private:
  bool stagingHolds(uint32_t bytes) {
    const auto fits = [&] {
      return static_cast<uint32_t>(control_[kStagingUsed]) + bytes <=
             static_cast<uint32_t>(control_[kStagingSize]);
    };
    if (!fits()) loop.flushNow();
    return fits();
  }

  void deliver(std::vector<Event>* seen) {
    const uint32_t count = loop.beginDelivery();
    for (uint32_t i = 0; i < count; ++i) {
      const auto* words = reinterpret_cast<const uint32_t*>(&events_[i * kRecordWords]);
      Event event{static_cast<EventKind>(words[0]),
                  {words[1], words[2]},
                  static_cast<int32_t>(words[3]),
                  words[4],
                  words[5],
                  words[6],
                  words[7],
                  {}};
      if (event.kind == EventKind::kData) event.bytes = bytesOf(event);
      if (handler) handler(event);
      seen->push_back(std::move(event));
    }
    loop.endDelivery();
  }

  SocketCalls realSockets_;
  FileCalls realFiles_;
  std::vector<int32_t> control_;
  std::vector<int32_t> events_;
  std::vector<int32_t> commands_;

 public:
  Loop loop;
};

}  // namespace test
