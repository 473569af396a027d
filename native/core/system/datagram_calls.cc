#include "datagram_calls.h"

#include <cerrno>

namespace ringpoll {

#ifdef __linux__

static_assert(sizeof(DatagramMessage) == sizeof(mmsghdr));

int DatagramCalls::receive(int fd, DatagramMessage* messages, uint32_t count) {
  int n;
  do n = ::recvmmsg(fd, reinterpret_cast<mmsghdr*>(messages), count, MSG_DONTWAIT, nullptr);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

int DatagramCalls::send(int fd, DatagramMessage* messages, uint32_t count) {
  int n;
  do n = ::sendmmsg(fd, reinterpret_cast<mmsghdr*>(messages), count, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

int DatagramCalls::receiveError(int fd, msghdr* message) {
  ssize_t n;
  do n = ::recvmsg(fd, message, MSG_ERRQUEUE | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

#else

namespace {
// One call each, until one does not succeed: the next call meets its error again.
template <typename Call>
int oneByOne(DatagramMessage* messages, uint32_t count, Call&& call) {
  for (uint32_t i = 0; i < count; ++i) {
    ssize_t n;
    do n = call(messages[i].header);
    while (n < 0 && errno == EINTR);
    if (n < 0) return i > 0 ? static_cast<int>(i) : -errno;
    messages[i].length = static_cast<uint32_t>(n);
  }
  return static_cast<int>(count);
}
}  // namespace

int DatagramCalls::receive(int fd, DatagramMessage* messages, uint32_t count) {
  return oneByOne(messages, count,
                  [fd](msghdr& header) { return ::recvmsg(fd, &header, MSG_DONTWAIT); });
}

int DatagramCalls::send(int fd, DatagramMessage* messages, uint32_t count) {
  return oneByOne(messages, count,
                  [fd](msghdr& header) { return ::sendmsg(fd, &header, MSG_DONTWAIT); });
}

int DatagramCalls::receiveError(int, msghdr*) { return -EAGAIN; }

#endif

}  // namespace ringpoll
