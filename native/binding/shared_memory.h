// The memory that JavaScript owns and the core borrows: rings, pending counts and arena slabs, all
// of them ordinary ArrayBuffers that hang on one JavaScript object.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "core/loop/loop.h"

namespace ringpoll {

class SharedMemory final : public LoopHost {
 public:
  explicit SharedMemory(Napi::Env env) : env_(env) {}

  // { control, events, commands, pending, slabs }. False: an exception is pending.
  bool open();
  SharedRings rings() const { return rings_; }
  Napi::Object object() const { return object_.Value(); }

  uint8_t* allocateSlab(uint32_t index, uint32_t bytes) override;
  void releaseSlab(uint32_t index) override;
  double* growPending(uint32_t slots) override;
  // A table of HTTP heads, shared with JavaScript; called once for each. nullptr: no memory.
  uint32_t* openHeads(const char* name, uint32_t words);
  // What turns are measured into, as long as they are; undefined: nothing.
  void keepMeter(const Napi::Value& words) { object_.Value().Set("meter", words); }
  void keepTurnRing(const Napi::Value& ring) { object_.Value().Set("turnRing", ring); }
  // The environment is going: JavaScript objects must not be touched any more. What the last bytes
  // still need on their way out is the heap's.
  void close() { closed_ = true; }

 private:
  bool refused(const Napi::Value& made);
  int32_t* words(Napi::Object object, const char* name, uint32_t count);

  Napi::Env env_;
  Napi::ObjectReference object_;
  Napi::ObjectReference slabs_;
  SharedRings rings_;
  double* pending_ = nullptr;
  uint32_t pendingSlots_ = 0;
  bool closed_ = false;
  std::vector<std::unique_ptr<void, void (*)(void*)>> late_;
};

}  // namespace ringpoll
