#include "shared_memory.h"

#include <cstring>

namespace ringpoll {

int32_t* SharedMemory::words(Napi::Object object, const char* name, uint32_t count) {
  Napi::Int32Array array = Napi::Int32Array::New(env_, count);
  if (env_.IsExceptionPending()) return nullptr;
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
  if (closed_) return nullptr;
  Napi::HandleScope scope(env_);
  // A Buffer of its own memory: JavaScript uses Buffer's methods on it directly.
  Napi::Buffer<uint8_t> slab = Napi::Buffer<uint8_t>::New(env_, bytes);
  if (env_.IsExceptionPending()) {
    env_.GetAndClearPendingException();  // out of memory: the arena answers for it
    return nullptr;
  }
  slabs_.Value().Set(index, slab);
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
  if (env_.IsExceptionPending()) {
    env_.GetAndClearPendingException();
    return nullptr;
  }
  if (pendingSlots_ > 0) std::memcpy(grown.Data(), pending_, pendingSlots_ * sizeof(double));
  object_.Value().Set("pending", grown);
  pending_ = grown.Data();
  pendingSlots_ = slots;
  return pending_;
}

uint32_t* SharedMemory::openHeads(uint32_t words) {
  if (closed_) return nullptr;
  Napi::HandleScope scope(env_);
  Napi::Uint32Array heads = Napi::Uint32Array::New(env_, words);
  if (env_.IsExceptionPending()) {
    env_.GetAndClearPendingException();
    return nullptr;
  }
  object_.Value().Set("heads", heads);
  return heads.Data();
}

}  // namespace ringpoll
