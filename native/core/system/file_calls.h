// The system calls on files that the loop's own thread may make, because they never wait for a
// disk: the kernel's forms that answer from memory or refuse (RESOLVE_CACHED, RWF_NOWAIT). One
// seam, as with sockets: the kernel in production, a script in tests.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>

namespace ringpoll {

enum class FileKind : uint8_t { kRegular, kDirectory, kPipe, kOther };

// What lies beneath a file: decides which calls can be trusted not to wait.
enum class FileSystem : uint8_t {
  kMemory,  // reads and writes touch no disk: the plain calls do
  kLocal,   // attributes of a file that is known are in memory
  kOther,   // a server may have to be asked
};

// The order of node:fs's Stats: dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks, and
// the milliseconds of atime, mtime, ctime, birthtime.
inline constexpr uint32_t kStatFields = 14;

struct FileAbout {
  FileKind kind = FileKind::kOther;
  uint64_t bytes = 0;
};

// Each call answers like the kernel: a count, a descriptor, or -errno. -EAGAIN: it would have to
// wait. -EOPNOTSUPP: there is no such form here.
class FileCalls {
 public:
  virtual ~FileCalls() = default;
  // Close-on-exec. `flags` may hold O_PATH; never O_CREAT, O_TRUNC or O_TMPFILE.
  virtual int openCached(const char* path, int flags);
  virtual int about(int fd, FileAbout* out);
  virtual int stat(int fd, double* fields);
  virtual FileSystem fileSystem(int fd);
  virtual void clearNonBlocking(int fd, int flags);

  // `offset` -1: the descriptor's own position, which moves on.
  virtual ssize_t readCached(int fd, const iovec& memory, int64_t offset);
  virtual ssize_t writeCached(int fd, const iovec& memory, int64_t offset);
  virtual ssize_t read(int fd, const iovec& memory, int64_t offset);
  virtual ssize_t write(int fd, const iovec& memory, int64_t offset);

  // True when [offset, offset + bytes) is in the page cache, as far as the kernel lets us know.
  virtual bool resident(int fd, uint64_t offset, uint64_t bytes);
  virtual ssize_t sendFile(int socket, int fd, uint64_t offset, uint64_t bytes);
  virtual int close(int fd);
};

}  // namespace ringpoll
