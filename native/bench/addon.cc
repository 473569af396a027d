// ringpoll_bench.node: the core's cases for `ringpoll bench`, and what a crossing costs. It is an
// addon of its own, because a server needs nothing of it. The core's objects are in both.
#include <napi.h>

#include <memory>

#include "bench.h"

extern "C" {
// Of libuv; not every build finds uv.h. A uv_thread_t is as large as a pointer on every Unix.
int uv_thread_create(void** thread, void (*entry)(void*), void* argument);
int uv_thread_join(void** thread);
}

namespace ringpoll::bench {

namespace {

uint32_t word(const Napi::CallbackInfo& info, size_t i) {
  return info[i].As<Napi::Number>().Uint32Value();
}

void* startThread(void (*run)(void*), void* argument) {
  auto thread = std::make_unique<void*>();
  if (uv_thread_create(thread.get(), run, argument) != 0) return nullptr;
  return thread.release();
}

void joinThread(void* handle) {
  const std::unique_ptr<void*> thread(static_cast<void**>(handle));
  uv_thread_join(thread.get());
}

constexpr Threads kThreads{startThread, joinThread};

// benchCases() -> [{ group, name }]
Napi::Value BenchCases(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  for (const Case& each : cases()) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("group", each.group);
    entry.Set("name", each.name);
    list.Set(list.Length(), entry);
  }
  return list;
}

// benchRun(index, operations) -> { elapsedNs, bytes } or { refused, failed }
Napi::Value BenchRun(const Napi::CallbackInfo& info) {
  const Sample sample = cases().at(word(info, 0)).run(word(info, 1), kThreads);
  Napi::Object result = Napi::Object::New(info.Env());
  if (!sample.refused.empty()) {
    result.Set("refused", sample.refused);
    result.Set("failed", sample.failed);
    return result;
  }
  result.Set("elapsedNs", sample.elapsedNs);
  result.Set("bytes", static_cast<double>(sample.bytes));
  return result;
}

// benchNothing(): what a call from JavaScript costs by itself
void BenchNothing(const Napi::CallbackInfo&) {}

// benchCalls(callback, calls) -> nanoseconds, for that many calls as the loop makes one a turn
Napi::Value BenchCalls(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const auto callback = info[0].As<Napi::Function>();
  const uint32_t calls = word(info, 1);
  napi_value global;
  napi_get_global(env, &global);
  const Stopwatch watch;
  for (uint32_t i = 0; i < calls; ++i) {
    Napi::HandleScope scope(env);
    if (napi_make_callback(env, nullptr, global, callback, 0, nullptr, nullptr) != napi_ok) {
      return env.Undefined();
    }
  }
  return Napi::Number::New(env, watch.elapsedNs());
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("benchCases", Napi::Function::New<BenchCases>(env));
  exports.Set("benchRun", Napi::Function::New<BenchRun>(env));
  exports.Set("benchNothing", Napi::Function::New<BenchNothing>(env));
  exports.Set("benchCalls", Napi::Function::New<BenchCalls>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(ringpoll_bench, Init)

}  // namespace ringpoll::bench
