// libuv's threads: those of the system, but they ask for nothing newer of the C library than Node
// does. Declared here for the same reason as in uv_api.h.
#pragma once

#include <pthread.h>

#include <cstdint>

extern "C" {
int uv_thread_create(pthread_t* thread, void (*entry)(void*), void* argument);
int uv_thread_join(pthread_t* thread);
int uv_mutex_init(pthread_mutex_t* mutex);
void uv_mutex_destroy(pthread_mutex_t* mutex);
void uv_mutex_lock(pthread_mutex_t* mutex);
int uv_mutex_trylock(pthread_mutex_t* mutex);
void uv_mutex_unlock(pthread_mutex_t* mutex);
int uv_cond_init(pthread_cond_t* condition);
void uv_cond_destroy(pthread_cond_t* condition);
void uv_cond_signal(pthread_cond_t* condition);
void uv_cond_broadcast(pthread_cond_t* condition);
void uv_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex);
int uv_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, uint64_t timeoutNs);
uint64_t uv_hrtime();
}
