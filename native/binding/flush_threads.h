// Flushes of files where no ring does them, on threads of their own.
//
// libuv's pool has four threads, so four flushes at a time, and writes stand in line behind them. A
// file system puts all flushes that come together into one transaction of its journal: the more
// there are at a time, the more of them end with it. Threads start as they are needed, and stay.
#pragma once

#include <napi.h>
#include <pthread.h>

#include <cstdint>
#include <deque>
#include <vector>

namespace ringpoll {

class FlushThreads {
 public:
  // `finished` is called on the loop's thread with numbers and results, one after the other, of all
  // flushes that have ended meanwhile.
  FlushThreads(Napi::Env env, Napi::Function finished);
  ~FlushThreads() { stop(); }
  FlushThreads(const FlushThreads&) = delete;
  FlushThreads& operator=(const FlushThreads&) = delete;

  // fsync(2) or fdatasync(2) of `fd`, which has to stay open, under the caller's number. 0, or
  // -EAGAIN when there is no thread for it.
  int submit(uint32_t id, int fd, bool dataOnly);
  // Waits for the flushes that have begun. The others never do, and nobody hears of any.
  void stop();

 private:
  struct Flush {
    uint32_t id;
    int fd;
    bool dataOnly;
    int32_t result;
  };

  void lock();
  void run();
  bool startThread();
  void deliver(Napi::Env env, Napi::Function finished);
  static void callListener(napi_env env, napi_value listener, void* self, void* data);
  static void onExit(void* self) { static_cast<FlushThreads*>(self)->stop(); }

  napi_env env_;
  napi_threadsafe_function listener_ = nullptr;
  std::vector<pthread_t> threads_;
  uint32_t underWay_ = 0;  // the loop's thread alone knows
  bool stopped_ = false;

  pthread_mutex_t mutex_{};
  pthread_cond_t wake_{};
  // Under the mutex:
  std::deque<Flush> waiting_;
  std::vector<Flush> ended_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace ringpoll
