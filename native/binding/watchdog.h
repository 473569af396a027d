// A thread that sees when this one is stuck in JavaScript.
//
// Each watched set of words tells what runs: SLICE is 0 while nothing does, and changes with each
// turn of the loop or slice of the scheduler. The thread wakes a few times in the limit, so a busy
// loop pays two stores a turn and an idle one nothing. lib/scheduler/watch.ts has the same numbers.
#pragma once

#include <napi.h>
#include <pthread.h>

#include <cstdint>

namespace ringpoll {

enum WatchWord : uint32_t {
  kWatchYield = 0,  // the slice that is asked to give way
  kWatchSlice = 1,
  kWatchSliceMs = 2,  // the limit
  kWatchCheckMs = 3,
  kWatchAttached = 4,
  kWatchOverruns = 5,
  kWatchLongestUs = 6,
  kWatchTask = 7,    // the task that runs, where there are tasks
  kWatchLastUs = 8,  // of the last overrun: how long it took so far, and the task
  kWatchLastTask = 9,
  kWatchWords = 16,
};

class GuestLoop;

class Watchdog {
 public:
  // `loopWords` are kept by `guest`; `taskWords` by a scheduler, and may be empty.
  Watchdog(GuestLoop* guest, Napi::Int32Array loopWords, Napi::Value taskWords);
  // Before start(): called on the loop's thread after each overrun, as soon as it can run.
  void tell(Napi::Env env, Napi::Function listener);
  ~Watchdog() { stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  bool start(Napi::Env env);
  void stop();

 private:
  struct Watched {
    int32_t* words = nullptr;
    int32_t slice = 0;
    uint64_t sinceNs = 0;
    bool counted = false;
    bool told = false;  // the overrun is one that the listener shall hear of
    int32_t ranUs = 0;
  };

  void run();
  void look(Watched& watched, uint64_t nowNs);
  void countForReport(const Watched& tasks);
  static void measured(int32_t* words, int32_t ranUs);
  void overran(const Watched& watched);
  static void callListener(napi_env env, napi_value listener, void* context, void* data);
  static void onExit(void* self) { static_cast<Watchdog*>(self)->stop(); }

  GuestLoop* guest_;
  napi_env env_ = nullptr;
  Napi::Reference<Napi::Int32Array> loopReference_;
  Napi::Reference<Napi::Int32Array> taskReference_;
  napi_threadsafe_function listener_ = nullptr;
  Watched loop_;
  Watched tasks_;
  bool running_ = false;
  bool stopping_ = false;
  pthread_t thread_{};
  pthread_mutex_t mutex_{};
  pthread_cond_t wake_{};
};

}  // namespace ringpoll
