// The system calls on sockets that the core makes itself, behind one seam: the kernel's in
// production, a script's in tests (short reads and writes, EAGAIN, resets at chosen moments).
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringpoll {

// Each call answers like the kernel: a count, or -errno.
class SocketCalls {
 public:
  virtual ~SocketCalls() = default;
  virtual ssize_t receive(int fd, void* buffer, size_t bytes);
  virtual ssize_t send(int fd, const iovec* vectors, uint32_t count);
  // What a receive would find, which it leaves there: 1 for bytes, 0 for the FIN, or -errno.
  virtual int peek(int fd);
  virtual int accept(int fd);  // non-blocking, close-on-exec
  virtual int connect(int fd, const sockaddr* address, socklen_t length);
  virtual int socketError(int fd);  // SO_ERROR, an errno or 0
  // Bytes that the kernel has taken and the peer has not acknowledged; 0 where nobody tells.
  virtual uint64_t unsentInKernel(int fd);
  virtual ssize_t splice(int from, int to, size_t bytes);  // see splice_calls.h
  virtual void shutdownWrite(int fd);
  virtual void shutdownBoth(int fd);
  virtual void close(int fd);
};

// How a send is refused for now: by a full socket, whose room is an event, or by a kernel without
// memory, which tells nobody when it has some again.
constexpr bool socketIsFull(ssize_t result) { return result == -EAGAIN || result == -EWOULDBLOCK; }
constexpr bool kernelLacksMemory(ssize_t result) { return result == -ENOBUFS || result == -ENOMEM; }

// An address as JavaScript gave it, ready for bind or connect.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // `host` is a literal IPv4 or IPv6 address (IPv6 with an optional %zone). False: it is neither,
  // or there is no such zone.
  static bool fromIp(const std::string& host, uint16_t port, SocketAddress* out);
  // A leading NUL makes it an abstract name (Linux). False: longer than sun_path.
  static bool fromPath(const std::string& path, SocketAddress* out);
};

struct AddressText {
  std::string address;  // or the path of a Unix socket
  uint16_t port = 0;
  int family = 0;  // AF_INET, AF_INET6, AF_UNIX, 0 when unknown
};
AddressText addressText(const SocketAddress& address);
// `bytes` in network order: 4 of AF_INET, 16 of AF_INET6.
AddressText addressText(int family, const uint8_t* bytes, uint16_t port);
AddressText localAddress(int fd);
AddressText remoteAddress(int fd);
// The same before it is text; of family 0 when it is unknown.
SocketAddress remoteSocketAddress(int fd);

// Options that the kernel keeps for a socket. -1: as the system has it.
enum class SocketOption : uint32_t {
  kSendBuffer = 0,         // bytes
  kReceiveBuffer = 1,      // bytes
  kKeepAliveInterval = 2,  // milliseconds between two probes
  kKeepAliveCount = 3,     // probes without an answer
  kUserTimeout = 4,        // milliseconds in which the peer must acknowledge; Linux
  kTypeOfService = 5,      // of IPv6 the traffic class
  kCount = 6,
};
struct SocketOptions {
  int32_t values[static_cast<size_t>(SocketOption::kCount)] = {-1, -1, -1, -1, -1, -1};
};

struct ListenOptions {
  SocketOptions socket;  // inherited by the accepted sockets
  int backlog = 511;
  bool reusePort = false;
  bool ipv6Only = false;
  bool noDelay = true;       // inherited by the accepted sockets
  int32_t keepAliveMs = -1;  // -1: off; idle time before the first probe
};

// The call that failed, for errors that look like Node's.
enum class Syscall : uint8_t {
  kNone,
  kRead,
  kWrite,
  kConnect,
  kAccept,
  kListen,
  kBind,
  kSocket,
  kSetsockopt,
  kShutdown
};

struct SocketResult {
  int fd = -1;  // or -1
  int error = 0;
  Syscall syscall = Syscall::kNone;
};

// A bound, listening, non-blocking socket. A Unix path that exists is an EADDRINUSE.
SocketResult openListener(const SocketAddress& address, const ListenOptions& options);
// Checks that `fd` is a listening socket and makes it non-blocking and close-on-exec.
SocketResult adoptListener(int fd, const ListenOptions& options);
// A non-blocking socket, bound to `local` when that is given, not yet connected.
struct ClientOptions {
  SocketOptions socket;
  int fd = -1;  // a socket of bindSocket(), which is taken
};
SocketResult openClient(const SocketAddress& remote, const SocketAddress* local,
                        const ClientOptions& client);
// A non-blocking socket that is bound, and nothing else yet: a descriptor, or -errno.
int bindSocket(const SocketAddress& address, bool ipv6Only);
// One datagram to a Unix socket, without waiting: 0 or -errno.
int tellUnixSocket(const SocketAddress& address, std::string_view text);
// Checks that `fd` is a connected stream socket and makes it non-blocking and close-on-exec.
SocketResult adoptStream(int fd);

// 0 or -errno. Options of TCP do nothing on a Unix socket.
int setSocketOption(int fd, SocketOption option, int32_t value);
int setNoDelay(int fd, bool on);           // 0 or -errno
int setKeepAlive(int fd, int32_t idleMs);  // -1: off
void setResetOnClose(int fd);              // SO_LINGER of zero: close() sends RST

}  // namespace ringpoll
