#include "watchdog.h"

#include "addon.h"

// libuv's threads are those of the system, and ask for nothing newer of the C library.
extern "C" {
int uv_thread_create(pthread_t* thread, void (*entry)(void*), void* argument);
int uv_thread_join(pthread_t* thread);
int uv_mutex_init(pthread_mutex_t* mutex);
void uv_mutex_destroy(pthread_mutex_t* mutex);
void uv_mutex_lock(pthread_mutex_t* mutex);
void uv_mutex_unlock(pthread_mutex_t* mutex);
int uv_cond_init(pthread_cond_t* condition);
void uv_cond_destroy(pthread_cond_t* condition);
void uv_cond_signal(pthread_cond_t* condition);
int uv_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, uint64_t timeoutNs);
uint64_t uv_hrtime();
}

namespace ringpoll {

namespace {
int32_t load(const int32_t* word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
void store(int32_t* word, int32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
}  // namespace

Watchdog::Watchdog(GuestLoop* guest, Napi::Int32Array loopWords, Napi::Value taskWords)
    : guest_(guest), loopReference_(Napi::Reference<Napi::Int32Array>::New(loopWords, 1)) {
  loop_.words = loopWords.Data();
  if (!taskWords.IsTypedArray()) return;
  auto words = taskWords.As<Napi::Int32Array>();
  taskReference_ = Napi::Reference<Napi::Int32Array>::New(words, 1);
  tasks_.words = words.Data();
}

bool Watchdog::start(Napi::Env env) {
  env_ = env;
  uv_mutex_init(&mutex_);
  uv_cond_init(&wake_);
  const auto entry = [](void* self) { static_cast<Watchdog*>(self)->run(); };
  running_ = uv_thread_create(&thread_, entry, this) == 0;
  if (!running_) {
    uv_cond_destroy(&wake_);
    uv_mutex_destroy(&mutex_);
    return false;
  }
  guest_->addHeartbeat(loop_.words + kWatchSlice);
  store(loop_.words + kWatchAttached, 1);
  if (tasks_.words != nullptr) store(tasks_.words + kWatchAttached, 1);
  napi_add_env_cleanup_hook(env, onExit, this);
  return true;
}

// Also when the environment ends: the thread is gone before the memory that it looks at.
void Watchdog::stop() {
  if (!running_) return;
  running_ = false;
  guest_->removeHeartbeat(loop_.words + kWatchSlice);
  store(loop_.words + kWatchAttached, 0);
  if (tasks_.words != nullptr) store(tasks_.words + kWatchAttached, 0);
  uv_mutex_lock(&mutex_);
  stopping_ = true;
  uv_cond_signal(&wake_);
  uv_mutex_unlock(&mutex_);
  uv_thread_join(&thread_);
  uv_cond_destroy(&wake_);
  uv_mutex_destroy(&mutex_);
  napi_remove_env_cleanup_hook(env_, onExit, this);
  loopReference_.Reset();
  taskReference_.Reset();
}

void Watchdog::run() {
  const auto checkNs = static_cast<uint64_t>(loop_.words[kWatchCheckMs]) * 1'000'000;
  uv_mutex_lock(&mutex_);
  while (!stopping_) {
    uv_cond_timedwait(&wake_, &mutex_, checkNs);
    const uint64_t nowNs = uv_hrtime();
    look(loop_, nowNs);
    if (tasks_.words != nullptr) look(tasks_, nowNs);
  }
  uv_mutex_unlock(&mutex_);
}

void Watchdog::look(Watched& watched, uint64_t nowNs) {
  const int32_t slice = load(watched.words + kWatchSlice);
  if (slice == 0 || slice != watched.slice) {
    watched.slice = slice;
    watched.sinceNs = nowNs;
    watched.counted = false;
    return;
  }
  const uint64_t limitNs = static_cast<uint64_t>(watched.words[kWatchSliceMs]) * 1'000'000;
  const uint64_t ranNs = nowNs - watched.sinceNs;
  if (ranNs < limitNs) return;
  const auto ranUs = static_cast<int32_t>(ranNs / 1000);
  if (!watched.counted) {
    watched.counted = true;
    store(watched.words + kWatchYield, slice);
    const bool inTask = tasks_.words != nullptr && load(tasks_.words + kWatchSlice) != 0;
    store(watched.words + kWatchLastTask, inTask ? load(tasks_.words + kWatchTask) : 0);
    store(watched.words + kWatchOverruns, load(watched.words + kWatchOverruns) + 1);
  }
  store(watched.words + kWatchLastUs, ranUs);
  if (ranUs > load(watched.words + kWatchLongestUs)) store(watched.words + kWatchLongestUs, ranUs);
}

namespace {

// watch(loopWords, taskWords | undefined) -> handle, or undefined without a thread
Napi::Value Watch(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  auto watchdog =
      std::make_unique<Watchdog>(guest, info[0].As<Napi::Int32Array>(), info[1]);
  if (!watchdog->start(info.Env())) return info.Env().Undefined();
  return Napi::External<Watchdog>::New(info.Env(), watchdog.release(),
                                       [](Napi::Env, Watchdog* done) { delete done; });
}

// unwatch(handle)
void Unwatch(const Napi::CallbackInfo& info) {
  info[0].As<Napi::External<Watchdog>>().Data()->stop();
}

}  // namespace

void addWatchdogFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("watch", Napi::Function::New<Watch>(env));
  exports.Set("unwatch", Napi::Function::New<Unwatch>(env));
}

}  // namespace ringpoll
