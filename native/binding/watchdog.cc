#include "watchdog.h"

#include <iterator>
#include <memory>

#include "addon.h"
#include "uv_threads.h"

namespace ringpoll {

namespace {

// What the listener is told: which set of words saw it, and what they said.
struct Overrun {
  bool ofTask;
  int32_t slice;
  int32_t ranUs;
  int32_t task;
};

// A listener that cannot keep up misses overruns; the count in the words does not.
constexpr size_t kOverrunsQueuedMax = 64;

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

void Watchdog::tell(Napi::Env env, Napi::Function listener) {
  const Napi::String name = Napi::String::New(env, "RINGPOLL_WATCHDOG");
  napi_create_threadsafe_function(env, listener, nullptr, name, kOverrunsQueuedMax, 1, nullptr,
                                  nullptr, nullptr, callListener, &listener_);
  if (listener_ != nullptr) napi_unref_threadsafe_function(env, listener_);
}

void Watchdog::callListener(napi_env env, napi_value listener, void*, void* data) {
  const std::unique_ptr<Overrun> overrun(static_cast<Overrun*>(data));
  if (env == nullptr) return;  // the environment has ended
  const Napi::HandleScope scope(env);
  const napi_value arguments[] = {
      Napi::Boolean::New(env, overrun->ofTask), Napi::Number::New(env, overrun->slice),
      Napi::Number::New(env, overrun->ranUs), Napi::Number::New(env, overrun->task)};
  napi_value global;
  napi_get_global(env, &global);
  const napi_status status =
      napi_call_function(env, global, listener, std::size(arguments), arguments, nullptr);
  napi_value error;
  if (status == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
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
    if (listener_ != nullptr) napi_release_threadsafe_function(listener_, napi_tsfn_abort);
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
  if (listener_ != nullptr) napi_release_threadsafe_function(listener_, napi_tsfn_abort);
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
    if (watched.told) overran(watched);
    watched.told = false;
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
    // A task's overrun is the loop's as well, but where the loop is at rest and not looked at.
    watched.told = &watched == &loop_ || load(loop_.words + kWatchSlice) == 0;
    store(watched.words + kWatchYield, slice);
    const bool inTask = tasks_.words != nullptr && load(tasks_.words + kWatchSlice) != 0;
    store(watched.words + kWatchLastTask, inTask ? load(tasks_.words + kWatchTask) : 0);
    store(watched.words + kWatchOverruns, load(watched.words + kWatchOverruns) + 1);
    if (watched.told && &watched == &tasks_) countForReport(watched);
  }
  watched.ranUs = ranUs;
  measured(watched.words, ranUs);
  if (watched.told && &watched == &tasks_) measured(loop_.words, ranUs);
}

// The report shows the loop's words: where the loop is at rest, what tasks do belongs there too.
void Watchdog::countForReport(const Watched& tasks) {
  store(loop_.words + kWatchLastTask, load(tasks.words + kWatchLastTask));
  store(loop_.words + kWatchOverruns, load(loop_.words + kWatchOverruns) + 1);
}

void Watchdog::measured(int32_t* words, int32_t ranUs) {
  store(words + kWatchLastUs, ranUs);
  if (ranUs > load(words + kWatchLongestUs)) store(words + kWatchLongestUs, ranUs);
}

void Watchdog::overran(const Watched& watched) {
  if (listener_ == nullptr) return;
  const int32_t task = load(watched.words + kWatchLastTask);
  auto overrun =
      std::make_unique<Overrun>(Overrun{&watched == &tasks_, watched.slice, watched.ranUs, task});
  const napi_status status =
      napi_call_threadsafe_function(listener_, overrun.get(), napi_tsfn_nonblocking);
  if (status == napi_ok) static_cast<void>(overrun.release());
}

namespace {

// watch(loopWords, taskWords | undefined, listener | undefined)
//   -> handle, or undefined without a thread
Napi::Value Watch(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  auto watchdog = std::make_unique<Watchdog>(guest, info[0].As<Napi::Int32Array>(), info[1]);
  if (info[2].IsFunction()) watchdog->tell(info.Env(), info[2].As<Napi::Function>());
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
