#include "shared_memory.h"

#include <cstdlib>
#include <cstring>

namespace ringpoll {

// Out of memory, or the environment is ending and can no longer be asked: the arena answers for it.
bool SharedMemory::refused(const Napi::Value& made) {
  if (env_.IsExceptionPending()) env_.GetAndClearPendingException();
  return made.IsEmpty();
}

int32_t* SharedMemory::words(Napi::Object object, const char* name, uint32_t count) {
  Napi::Int32Array array = Napi::Int32Array::New(env_, count);
  if (array.IsEmpty()) return nullptr;
  object.Set(name, array);
  return array.Data();
}

bool SharedMemory::open() {
  Napi::Object object = Napi::Object::New(env_);
  rings_.control = words(object, "control", kControlWords);
  rings_.events = words(object, "events", kEventCapacity * kRecordWords);
  rings_.commands = words(object, "commands", kCommandCapacity * kRecordWords);
  if (rings_.control == nullptr || rings_.events == nullptr || rings_.commands == nullptr) {
    return false;
  }
  Napi::Array slabs = Napi::Array::New(env_);
  object.Set("pending", Napi::Float64Array::New(env_, 0));
  object.Set("slabs", slabs);
  object_ = Napi::Persistent(object);
  slabs_ = Napi::Persistent(slabs.As<Napi::Object>());
  return true;
}

uint8_t* SharedMemory::allocateSlab(uint32_t index, uint32_t bytes) {
  if (closed_) {
    late_.emplace_back(std::calloc(1, bytes), std::free);
    return static_cast<uint8_t*>(late_.back().get());
  }
  Napi::HandleScope scope(env_);
  // A Buffer of its own memory: JavaScript uses Buffer's methods on it directly.
  Napi::Buffer<uint8_t> slab = Napi::Buffer<uint8_t>::New(env_, bytes);
  if (refused(slab)) return nullptr;
  // Without the reference the collector would take the memory from under us.
  if (!slabs_.Value().Set(index, slab)) return nullptr;
  return slab.Data();
}

void SharedMemory::releaseSlab(uint32_t index) {
  if (closed_) return;
  Napi::HandleScope scope(env_);
  slabs_.Value().Set(index, env_.Undefined());
}

double* SharedMemory::growPending(uint32_t slots) {
  if (closed_) return nullptr;
  Napi::HandleScope scope(env_);
  Napi::Float64Array grown = Napi::Float64Array::New(env_, slots);
  if (refused(grown)) return nullptr;
  if (pendingSlots_ > 0) std::memcpy(grown.Data(), pending_, pendingSlots_ * sizeof(double));
  if (!object_.Value().Set("pending", grown)) return nullptr;
  pending_ = grown.Data();
  pendingSlots_ = slots;
  return pending_;
}

uint32_t* SharedMemory::openHeads(const char* name, uint32_t words) {
  if (closed_) return nullptr;
  Napi::HandleScope scope(env_);
  Napi::Uint32Array heads = Napi::Uint32Array::New(env_, words);
  if (refused(heads)) return nullptr;
  if (!object_.Value().Set(name, heads)) return nullptr;
  return heads.Data();
}

}  // namespace ringpoll
