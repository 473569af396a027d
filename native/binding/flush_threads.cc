#include "flush_threads.h"

#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <utility>

#include "core/base/lock_waits.h"
#include "uv_threads.h"

namespace ringpoll {

namespace {

// So many flushes at a time; as many as the ring's workers take on by themselves is plenty.
constexpr size_t kFlushThreadsMax = 16;

int32_t flushNow(int fd, bool dataOnly) {
  int result;
  do {
#ifdef __linux__
    result = dataOnly ? ::fdatasync(fd) : ::fsync(fd);
#else
    static_cast<void>(dataOnly);
    result = ::fsync(fd);
#endif
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : -errno;
}

}  // namespace

FlushThreads::FlushThreads(Napi::Env env, Napi::Function finished) : env_(env) {
  uv_mutex_init(&mutex_);
  uv_cond_init(&wake_);
  const Napi::String name = Napi::String::New(env, "RINGPOLL_FLUSH");
  napi_create_threadsafe_function(env, finished, nullptr, name, 0, 1, nullptr, nullptr, this,
                                  callListener, &listener_);
  if (listener_ != nullptr) napi_unref_threadsafe_function(env, listener_);
  // After the function, whose own hook must not come first: threads may still want to call it.
  napi_add_env_cleanup_hook(env, onExit, this);
}

void FlushThreads::lock() {
  lockCounted(
      SharedLock::kFileFlushes, [&] { return uv_mutex_trylock(&mutex_) == 0; },
      [&] { uv_mutex_lock(&mutex_); });
}

int FlushThreads::submit(uint32_t id, int fd, bool dataOnly) {
  if (listener_ == nullptr || stopped_) return -EAGAIN;
  if (threads_.empty() && !startThread()) return -EAGAIN;
  if (++underWay_ == 1) napi_ref_threadsafe_function(env_, listener_);
  lock();
  waiting_.push_back({id, fd, dataOnly, 0});
  const bool wakes = idle_ > 0;
  const bool needsThread = waiting_.size() > idle_;
  uv_mutex_unlock(&mutex_);
  // Without the mutex, or whoever wakes up would have to wait for it at once.
  if (wakes) uv_cond_signal(&wake_);
  if (needsThread) startThread();
  return 0;
}

bool FlushThreads::startThread() {
  if (threads_.size() == kFlushThreadsMax) return false;
  pthread_t thread;
  const auto entry = [](void* self) { static_cast<FlushThreads*>(self)->run(); };
  if (uv_thread_create(&thread, entry, this) != 0) return false;
  threads_.push_back(thread);
  return true;
}

void FlushThreads::run() {
  uv_mutex_lock(&mutex_);
  for (;;) {
    while (waiting_.empty() && !stopping_) {
      ++idle_;
      uv_cond_wait(&wake_, &mutex_);
      --idle_;
    }
    if (stopping_) break;
    Flush flush = waiting_.front();
    waiting_.pop_front();
    uv_mutex_unlock(&mutex_);
    flush.result = flushNow(flush.fd, flush.dataOnly);
    lock();
    ended_.push_back(flush);
    // Whoever ends meanwhile is delivered along with this one.
    const bool first = ended_.size() == 1;
    if (!first) continue;
    uv_mutex_unlock(&mutex_);
    napi_call_threadsafe_function(listener_, nullptr, napi_tsfn_nonblocking);
    uv_mutex_lock(&mutex_);
  }
  uv_mutex_unlock(&mutex_);
}

void FlushThreads::callListener(napi_env env, napi_value listener, void* self, void*) {
  if (env == nullptr) return;  // the environment has ended
  static_cast<FlushThreads*>(self)->deliver(env, Napi::Function(env, listener));
}

void FlushThreads::deliver(Napi::Env env, Napi::Function finished) {
  std::vector<Flush> ended;
  lock();
  std::swap(ended, ended_);
  uv_mutex_unlock(&mutex_);
  const Napi::HandleScope scope(env);
  Napi::Int32Array pairs = Napi::Int32Array::New(env, ended.size() * 2);
  if (pairs.IsEmpty()) return;  // the environment is about to end, and makes nothing any more
  for (size_t i = 0; i < ended.size(); ++i) {
    pairs[i * 2] = static_cast<int32_t>(ended[i].id);
    pairs[i * 2 + 1] = ended[i].result;
  }
  underWay_ -= static_cast<uint32_t>(ended.size());
  if (underWay_ == 0) napi_unref_threadsafe_function(env, listener_);
  const napi_value arguments[] = {pairs};
  napi_value global;
  napi_get_global(env, &global);
  // It only resolves promises: it throws nothing.
  napi_call_function(env, global, finished, std::size(arguments), arguments, nullptr);
}

void FlushThreads::stop() {
  if (stopped_) return;
  stopped_ = true;
  uv_mutex_lock(&mutex_);
  stopping_ = true;
  uv_cond_broadcast(&wake_);
  uv_mutex_unlock(&mutex_);
  for (pthread_t& thread : threads_) uv_thread_join(&thread);
  if (listener_ != nullptr) napi_release_threadsafe_function(listener_, napi_tsfn_abort);
  uv_cond_destroy(&wake_);
  uv_mutex_destroy(&mutex_);
  napi_remove_env_cleanup_hook(env_, onExit, this);
}

}  // namespace ringpoll
