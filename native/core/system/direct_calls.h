// send() and recv() without the C library's cancellation points. In a process with threads, as Node
// always is, the library surrounds each of these calls with two that make the thread cancellable
// and not. Nobody cancels a thread that runs a loop.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

// The sanitizers learn from the library's functions what was read, and which thread knows of what.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGPOLL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define RINGPOLL_SANITIZED 1
#endif
#endif

#if defined(__linux__) && !defined(RINGPOLL_SANITIZED)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace ringpoll::direct {

#if defined(SYS_recvfrom) && defined(SYS_sendto) && !defined(RINGPOLL_SANITIZED)
inline ssize_t receive(int fd, void* buffer, size_t bytes) {
  return ::syscall(SYS_recvfrom, fd, buffer, bytes, 0, nullptr, nullptr);
}
inline ssize_t send(int fd, const void* buffer, size_t bytes, int flags) {
  return ::syscall(SYS_sendto, fd, buffer, bytes, flags, nullptr, 0);
}
#else
inline ssize_t receive(int fd, void* buffer, size_t bytes) { return ::recv(fd, buffer, bytes, 0); }
inline ssize_t send(int fd, const void* buffer, size_t bytes, int flags) {
  return ::send(fd, buffer, bytes, flags);
}
#endif

}  // namespace ringpoll::direct
