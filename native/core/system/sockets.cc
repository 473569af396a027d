#include "sockets.h"

#include <sys/ioctl.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "direct_calls.h"
#include "splice_calls.h"

#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace ringpoll {

namespace {
#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // SO_NOSIGPIPE is set on the socket instead
#endif

int makeSocket(int family) {
#ifdef SOCK_NONBLOCK
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  const int fd = ::socket(family, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  return fd;
#endif
}

SocketResult failed(int fd, Syscall syscall) {
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return {-1, error, syscall};
}

// 0 or -errno.
int setAll(int fd, const SocketOptions& options) {
  for (uint32_t i = 0; i < static_cast<uint32_t>(SocketOption::kCount); ++i) {
    if (options.values[i] < 0) continue;
    const int result = setSocketOption(fd, static_cast<SocketOption>(i), options.values[i]);
    if (result != 0) return result;
  }
  return 0;
}

// Accepted sockets inherit them. 0 or -errno.
int setOptions(int fd, const ListenOptions& options) {
  const int result = options.noDelay ? setNoDelay(fd, true) : 0;
  return result != 0 || options.keepAliveMs < 0 ? result : setKeepAlive(fd, options.keepAliveMs);
}

// An interface's name, or its number. 0: there is none of that name, or the number has over 32
// bits.
uint32_t zoneOf(const std::string& text) {
  const uint32_t named = ::if_nametoindex(text.c_str());
  if (named != 0) return named;
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? number : 0;
}

AddressText describe(const sockaddr_storage& storage, socklen_t length) {
  AddressText text;
  char buffer[INET6_ADDRSTRLEN + IF_NAMESIZE + 2] = {};
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &in.sin_addr, buffer, sizeof buffer);
    text = {buffer, ntohs(in.sin_port), AF_INET};
  } else if (storage.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
    ::inet_ntop(AF_INET6, &in.sin6_addr, buffer, sizeof buffer);
    text = {buffer, ntohs(in.sin6_port), AF_INET6};
    char zone[IF_NAMESIZE];
    if (in.sin6_scope_id != 0 && ::if_indextoname(in.sin6_scope_id, zone) != nullptr) {
      text.address += std::string("%") + zone;
    }
  } else if (storage.ss_family == AF_UNIX) {
    const auto& un = reinterpret_cast<const sockaddr_un&>(storage);
    const size_t bytes =
        length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
    text.family = AF_UNIX;
    text.address.assign(un.sun_path, bytes);
    if (bytes > 0 && un.sun_path[0] != '\0') text.address = text.address.c_str();
  }
  return text;
}
}  // namespace

ssize_t SocketCalls::receive(int fd, void* buffer, size_t bytes) {
  ssize_t n;
  do n = direct::receive(fd, buffer, bytes);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

ssize_t SocketCalls::splice(int from, int to, size_t bytes) { return spliceBytes(from, to, bytes); }

int SocketCalls::peek(int fd) {
  char byte;
  ssize_t n;
  do n = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : static_cast<int>(n);
}

ssize_t SocketCalls::send(int fd, const iovec* vectors, uint32_t count) {
  ssize_t n;
  if (count == 1) {
    do n = direct::send(fd, vectors[0].iov_base, vectors[0].iov_len, kSendFlags);
    while (n < 0 && errno == EINTR);
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(vectors);
    message.msg_iovlen = count;
    do n = ::sendmsg(fd, &message, kSendFlags);
    while (n < 0 && errno == EINTR);
  }
  return n < 0 ? -errno : n;
}

int SocketCalls::accept(int fd) {
  int accepted;
#ifdef SOCK_NONBLOCK
  do accepted = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  while (accepted < 0 && errno == EINTR);
#else
  do accepted = ::accept(fd, nullptr, nullptr);
  while (accepted < 0 && errno == EINTR);
  if (accepted >= 0) {
    ::fcntl(accepted, F_SETFD, FD_CLOEXEC);
    ::fcntl(accepted, F_SETFL, O_NONBLOCK);
    const int on = 1;
    ::setsockopt(accepted, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  }
#endif
  return accepted < 0 ? -errno : accepted;
}

int SocketCalls::connect(int fd, const sockaddr* address, socklen_t length) {
  // An interrupted connect goes on in the background, so EINTR means the same as EINPROGRESS.
  if (::connect(fd, address, length) == 0) return 0;
  return errno == EINTR ? -EINPROGRESS : -errno;
}

int SocketCalls::socketError(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

uint64_t SocketCalls::unsentInKernel(int fd) {
  int bytes = 0;
#ifdef __linux__
  if (::ioctl(fd, SIOCOUTQ, &bytes) != 0) return 0;
#elif defined(SO_NWRITE)
  socklen_t length = sizeof bytes;
  if (::getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &length) != 0) return 0;
#endif
  return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
}

void SocketCalls::shutdownWrite(int fd) { ::shutdown(fd, SHUT_WR); }
void SocketCalls::shutdownBoth(int fd) { ::shutdown(fd, SHUT_RDWR); }
void SocketCalls::close(int fd) { ::close(fd); }

bool SocketAddress::fromIp(const std::string& host, uint16_t port, SocketAddress* out) {
  *out = SocketAddress{};
  auto& in4 = reinterpret_cast<sockaddr_in&>(out->storage);
  if (::inet_pton(AF_INET, host.c_str(), &in4.sin_addr) == 1) {
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    out->length = sizeof in4;
    return true;
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(out->storage);
  const size_t percent = host.find('%');
  const std::string address = host.substr(0, percent);
  if (::inet_pton(AF_INET6, address.c_str(), &in6.sin6_addr) != 1) return false;
  if (percent != std::string::npos) {
    in6.sin6_scope_id = zoneOf(host.substr(percent + 1));
    if (in6.sin6_scope_id == 0) return false;
  }
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  out->length = sizeof in6;
  return true;
}

bool SocketAddress::fromPath(const std::string& path, SocketAddress* out) {
  *out = SocketAddress{};
  auto& un = reinterpret_cast<sockaddr_un&>(out->storage);
  const bool abstractName = !path.empty() && path[0] == '\0';
  if (path.empty() || path.size() + (abstractName ? 0 : 1) > sizeof un.sun_path) return false;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  out->length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                       (abstractName ? 0 : 1));
  return true;
}

AddressText addressText(const SocketAddress& address) {
  return describe(address.storage, address.length);
}

AddressText addressText(int family, const uint8_t* bytes, uint16_t port) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family, bytes, text, sizeof text);
  return {text, port, family};
}

AddressText localAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return describe(storage, length);
}

SocketAddress remoteSocketAddress(int fd) {
  SocketAddress peer;
  peer.length = sizeof peer.storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length) != 0) return {};
  return peer;
}

AddressText remoteAddress(int fd) { return addressText(remoteSocketAddress(fd)); }

SocketResult openListener(const SocketAddress& address, const ListenOptions& options) {
  const int fd = makeSocket(address.family());
  if (fd < 0) return failed(fd, Syscall::kSocket);
  const int on = 1;
  if (address.family() != AF_UNIX) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (options.reusePort && ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
      return failed(fd, Syscall::kSetsockopt);
    }
    const int refused = setOptions(fd, options);
    if (refused != 0) {
      ::close(fd);
      return {-1, -refused, Syscall::kSetsockopt};
    }
  }
  // Before it listens: the window that is announced depends on the buffer.
  if (const int refused = setAll(fd, options.socket); refused != 0) {
    ::close(fd);
    return {-1, -refused, Syscall::kSetsockopt};
  }
  if (address.family() == AF_INET6) {
    const int only = options.ipv6Only ? 1 : 0;
    if (::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) {
      return failed(fd, Syscall::kSetsockopt);
    }
  }
  if (::bind(fd, address.get(), address.length) != 0) return failed(fd, Syscall::kListen);
  if (::listen(fd, options.backlog) != 0) return failed(fd, Syscall::kListen);
  return {fd, 0, Syscall::kNone};
}

SocketResult adoptListener(int fd, const ListenOptions& options) {
  int listening = 0;
  socklen_t length = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0) {
    return failed(-1, Syscall::kListen);
  }
  if (listening == 0) return {-1, EINVAL, Syscall::kListen};
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return failed(-1, Syscall::kListen);
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const int family = localAddress(fd).family;
  int refused = family == AF_INET || family == AF_INET6 ? setOptions(fd, options) : 0;
  if (refused == 0) refused = setAll(fd, options.socket);
  if (refused != 0) return {-1, -refused, Syscall::kSetsockopt};
  return {fd, 0, Syscall::kNone};
}

SocketResult openClient(const SocketAddress& remote, const SocketAddress* local,
                        const ClientOptions& client) {
  const int fd = client.fd >= 0 ? client.fd : makeSocket(remote.family());
  if (fd < 0) return failed(fd, Syscall::kSocket);
  if (const int refused = setAll(fd, client.socket); refused != 0) {
    ::close(fd);
    return {-1, -refused, Syscall::kSetsockopt};
  }
  if (local != nullptr) {
    // As Node does: a port whose last connection is in TIME_WAIT is free.
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, local->get(), local->length) != 0) return failed(fd, Syscall::kBind);
  }
  return {fd, 0, Syscall::kNone};
}

int bindSocket(const SocketAddress& address, bool ipv6Only) {
  const int fd = makeSocket(address.family());
  if (fd < 0) return -errno;
  const int on = 1;
  const int only = ipv6Only ? 1 : 0;
  if (address.family() != AF_UNIX) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if ((address.family() == AF_INET6 &&
       ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) ||
      ::bind(fd, address.get(), address.length) != 0) {
    return -failed(fd, Syscall::kBind).error;
  }
  return fd;
}

int tellUnixSocket(const SocketAddress& address, std::string_view text) {
#ifdef SOCK_CLOEXEC
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
#endif
  if (fd < 0) return -errno;
  const ssize_t sent =
      ::sendto(fd, text.data(), text.size(), MSG_DONTWAIT, address.get(), address.length);
  const int result = sent < 0 ? -errno : 0;
  ::close(fd);
  return result;
}

SocketResult adoptStream(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
    return failed(-1, Syscall::kConnect);
  }
  if (type != SOCK_STREAM) return {-1, EINVAL, Syscall::kConnect};
  sockaddr_storage peer{};
  length = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) {
    return failed(-1, Syscall::kConnect);
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return failed(-1, Syscall::kConnect);
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return {fd, 0, Syscall::kNone};
}

int setSocketOption(int fd, SocketOption option, int32_t value) {
  const int family = localAddress(fd).family;
  const auto set = [&](int level, int name, int to) {
    if (level != SOL_SOCKET && family == AF_UNIX) return 0;
    return ::setsockopt(fd, level, name, &to, sizeof to) == 0 ? 0 : -errno;
  };
  switch (option) {
    case SocketOption::kSendBuffer:
      return set(SOL_SOCKET, SO_SNDBUF, value);
    case SocketOption::kReceiveBuffer:
      return set(SOL_SOCKET, SO_RCVBUF, value);
    case SocketOption::kKeepAliveInterval:
      return set(IPPROTO_TCP, TCP_KEEPINTVL, value < 1000 ? 1 : value / 1000);
    case SocketOption::kKeepAliveCount:
      return set(IPPROTO_TCP, TCP_KEEPCNT, value);
    case SocketOption::kUserTimeout:
#ifdef TCP_USER_TIMEOUT
      return set(IPPROTO_TCP, TCP_USER_TIMEOUT, value);
#else
      return 0;
#endif
    case SocketOption::kTypeOfService:
      if (family == AF_INET6) return set(IPPROTO_IPV6, IPV6_TCLASS, value);
      return set(IPPROTO_IP, IP_TOS, value);
    case SocketOption::kCount:
      break;
  }
  return -EINVAL;
}

int setNoDelay(int fd, bool on) {
  const int value = on ? 1 : 0;
  return ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value) == 0 ? 0 : -errno;
}

int setKeepAlive(int fd, int32_t idleMs) {
  const int on = idleMs >= 0 ? 1 : 0;
  if (::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0) return -errno;
  if (idleMs <= 0) return 0;
  const int seconds = idleMs < 1000 ? 1 : idleMs / 1000;
#ifdef TCP_KEEPIDLE
  const int option = TCP_KEEPIDLE;
#else
  const int option = TCP_KEEPALIVE;
#endif
  return ::setsockopt(fd, IPPROTO_TCP, option, &seconds, sizeof seconds) == 0 ? 0 : -errno;
}

void setResetOnClose(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace ringpoll
