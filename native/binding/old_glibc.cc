// Keeps the addon loadable on the C library that Node itself asks for (glibc 2.28).
//
// Linked statically, libstdc++ and libgcc ask for a few symbols of the C library that they were
// built for. The definitions below, which stay inside the addon, take their place. They belong to
// code that the linker brings along and nothing here runs (exceptions are off), so they are
// correct before they are fast.
#include <features.h>

#ifdef __GLIBC__

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {
// What a control variable holds; PTHREAD_ONCE_INIT is the first.
enum Once : int { kNotRun = PTHREAD_ONCE_INIT, kRunning, kDone };
}  // namespace

extern "C" {

// GLIBC_2.32. A hint that locks may be left out; never true in Node.
char __libc_single_threaded = 0;  // NOLINT(bugprone-reserved-identifier)

// GLIBC_2.35. Finds the unwind tables of an address. Without them an exception that leaves a
// function ends the process, which is what it has to do in a build without exceptions.
int _dl_find_object(void*, void*) { return -1; }

// GLIBC_2.36. Reached from std::random_device.
uint32_t arc4random() {
  uint32_t value;
  if (getentropy(&value, sizeof value) != 0) abort();
  return value;
}

// GLIBC_2.34, since when threads are a part of the C library itself.
int pthread_once(pthread_once_t* control, void (*routine)()) {
  int expected = kNotRun;
  if (__atomic_compare_exchange_n(control, &expected, kRunning, false, __ATOMIC_ACQUIRE,
                                  __ATOMIC_ACQUIRE)) {
    routine();
    __atomic_store_n(control, kDone, __ATOMIC_RELEASE);
    return 0;
  }
  while (__atomic_load_n(control, __ATOMIC_ACQUIRE) != kDone) sched_yield();
  return 0;
}

// GLIBC_2.34. For destructors of thread-local objects on systems without
// __cxa_thread_atexit_impl, which every glibc since 2.18 has.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
int __pthread_key_create(pthread_key_t*, void (*)(void*)) { abort(); }

}  // extern "C"

#endif  // __GLIBC__
