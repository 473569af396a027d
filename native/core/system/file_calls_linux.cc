#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "file_calls.h"
#include "file_stats.h"

namespace ringpoll {

namespace {

// Numbers that the oldest supported headers lack; the kernel says ENOSYS where it lacks the call.
#ifdef SYS_openat2
constexpr long kOpenat2 = SYS_openat2;
#else
constexpr long kOpenat2 = 437;  // 5.6
#endif
constexpr long kCachestat = 451;           // 6.5
constexpr int kNoWait = 0x8;               // RWF_NOWAIT
constexpr uint64_t kResolveCached = 0x20;  // 5.12

struct OpenHow {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};
struct CachestatRange {
  uint64_t offset;
  uint64_t bytes;
};
struct Cachestat {
  uint64_t cached, dirty, writeback, evicted, recentlyEvicted;
};

// File systems whose attributes and pages are this machine's own business. The numbers are stable
// parts of the kernel's interface; not all of them are in <linux/magic.h>.
constexpr unsigned long kMemorySystems[] = {0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */};
constexpr unsigned long kLocalSystems[] = {
    0xef53 /* ext2, 3, 4 */,  0x58465342 /* xfs */,   0x9123683e /* btrfs */,
    0x794c7630 /* overlay */, 0xf2f52010 /* f2fs */,  0xca451a4e /* bcachefs */,
    0x2fc12fc1 /* zfs */,     0xe0f5e1e2 /* erofs */, 0x73717368 /* squashfs */,
    0x4d44 /* vfat */,        0x2011bab0 /* exfat */, 0x9660 /* iso9660 */,
};

FileKind kindOf(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileKind::kRegular;
    case S_IFDIR:
      return FileKind::kDirectory;
    case S_IFIFO:
      return FileKind::kPipe;
    default:
      return FileKind::kOther;
  }
}

// Three calls not by the C library's functions, which musl has only since 1.2.5.
long statxOf(int fd, int flags, unsigned mask, struct statx* stats) {
  return ::syscall(SYS_statx, fd, "", flags, mask, stats);
}

// The kernel takes the offset in two words, and of the second only what 32-bit systems need.
static_assert(sizeof(long) == sizeof(int64_t));
long transfer(long call, int fd, const iovec& memory, int64_t offset, int flags) {
  return ::syscall(call, fd, &memory, 1L, offset, 0L, flags);
}

ssize_t answer(ssize_t result) { return result < 0 ? -errno : result; }

// Emulators may lack the calls that take flags: then there is no form that does not wait.
ssize_t answerNow(ssize_t result) {
  return result < 0 && errno == ENOSYS ? -EOPNOTSUPP : answer(result);
}

}  // namespace

void toStatFields(const struct statx& from, double* fields) {
  const auto milliseconds = [](const struct statx_timestamp& time) {
    return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_nsec) / 1e6;
  };
  const double values[kStatFields] = {
      static_cast<double>(makedev(from.stx_dev_major, from.stx_dev_minor)),
      static_cast<double>(from.stx_mode),
      static_cast<double>(from.stx_nlink),
      static_cast<double>(from.stx_uid),
      static_cast<double>(from.stx_gid),
      static_cast<double>(makedev(from.stx_rdev_major, from.stx_rdev_minor)),
      static_cast<double>(from.stx_blksize),
      static_cast<double>(from.stx_ino),
      static_cast<double>(from.stx_size),
      static_cast<double>(from.stx_blocks),
      milliseconds(from.stx_atime),
      milliseconds(from.stx_mtime),
      milliseconds(from.stx_ctime),
      milliseconds(from.stx_btime),
  };
  for (uint32_t i = 0; i < kStatFields; ++i) fields[i] = values[i];
}

int FileCalls::openCached(const char* path, int flags) {
  const OpenHow how{static_cast<uint64_t>(flags | O_CLOEXEC), 0, kResolveCached};
  return static_cast<int>(answer(::syscall(kOpenat2, AT_FDCWD, path, &how, sizeof how)));
}

int FileCalls::about(int fd, FileAbout* out) {
  struct statx stats;
  // Without asking a server: type and size are all that is wanted, and reads find the true end.
  const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (statxOf(fd, flags, STATX_TYPE | STATX_SIZE, &stats) != 0) return -errno;
  *out = {kindOf(stats.stx_mode), stats.stx_size};
  return 0;
}

int FileCalls::stat(int fd, double* fields) {
  struct statx stats;
  if (statxOf(fd, AT_EMPTY_PATH, kStatMask, &stats) != 0) return -errno;
  toStatFields(stats, fields);
  return 0;
}

FileSystem FileCalls::fileSystem(int fd) {
  struct statfs about;
  if (::fstatfs(fd, &about) != 0) return FileSystem::kOther;
  const auto magic = static_cast<unsigned long>(about.f_type);
  for (unsigned long memory : kMemorySystems) {
    if (magic == memory) return FileSystem::kMemory;
  }
  for (unsigned long local : kLocalSystems) {
    if (magic == local) return FileSystem::kLocal;
  }
  return FileSystem::kOther;
}

void FileCalls::clearNonBlocking(int fd, int flags) { ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK); }

ssize_t FileCalls::readCached(int fd, const iovec& memory, int64_t offset) {
  return answerNow(transfer(SYS_preadv2, fd, memory, offset, kNoWait));
}

ssize_t FileCalls::writeCached(int fd, const iovec& memory, int64_t offset) {
  return answerNow(transfer(SYS_pwritev2, fd, memory, offset, kNoWait));
}

ssize_t FileCalls::read(int fd, const iovec& memory, int64_t offset) {
  const ssize_t count = answer(transfer(SYS_preadv2, fd, memory, offset, 0));
  if (count != -ENOSYS) return count;
  return answer(offset < 0 ? ::readv(fd, &memory, 1) : ::preadv(fd, &memory, 1, offset));
}

ssize_t FileCalls::write(int fd, const iovec& memory, int64_t offset) {
  const ssize_t count = answer(transfer(SYS_pwritev2, fd, memory, offset, 0));
  if (count != -ENOSYS) return count;
  return answer(offset < 0 ? ::writev(fd, &memory, 1) : ::pwritev(fd, &memory, 1, offset));
}

bool FileCalls::resident(int fd, uint64_t offset, uint64_t bytes) {
  const auto page = static_cast<uint64_t>(::getpagesize());
  const CachestatRange range{offset, bytes};
  Cachestat cached{};
  if (::syscall(kCachestat, fd, &range, &cached, 0) == 0) {
    return cached.cached >= (offset + bytes + page - 1) / page - offset / page;
  }
  // An older kernel, or a file of somebody else's: the ends of the range have to stand for it.
  char byte;
  const iovec memory{&byte, 1};
  return readCached(fd, memory, static_cast<int64_t>(offset)) >= 0 &&
         readCached(fd, memory, static_cast<int64_t>(offset + bytes - 1)) >= 0;
}

ssize_t FileCalls::sendFile(int socket, int fd, uint64_t offset, uint64_t bytes) {
  auto position = static_cast<off_t>(offset);
  return answer(::sendfile(socket, fd, &position, bytes));
}

int FileCalls::close(int fd) { return ::close(fd) == 0 ? 0 : -errno; }

}  // namespace ringpoll
