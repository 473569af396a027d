// What can be answered from memory, on the loop's own thread. Measured: a read of 4 KB from the
// page cache costs some 0.3 us this way and as much through the ring, but here it needs no request,
// no completion and no copy, and is over when the call returns. What would wait goes the long way.
#include <fcntl.h>

#include <cerrno>

#include "core/base/limits.h"
#include "files.h"

namespace ringpoll {

namespace {

// True when the caller may be told so. Anything else is tried again on a thread that may wait:
// either it works there, or it fails with the error that the caller expects.
bool isFinal(int error) {
  switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -EACCES:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -EISDIR:
    case -EROFS:
    case -ETXTBSY:
      return true;
    default:
      return false;
  }
}

#ifdef O_TMPFILE
constexpr int kCreating = O_CREAT | O_TRUNC | O_TMPFILE;
#else
constexpr int kCreating = O_CREAT | O_TRUNC;
#endif
#ifdef O_PATH
constexpr int kPathOnly = O_PATH;
#else
constexpr int kPathOnly = O_RDONLY;
#endif

}  // namespace

int64_t Files::tryOpen(const char* path, int flags) {
  // O_TMPFILE contains O_DIRECTORY, which alone is harmless.
  if ((flags & kCreating) & ~O_DIRECTORY) return -EAGAIN;
  // A FIFO opens when somebody is at its other end: that can only be waited for.
  const int known = calls_.openCached(path, kPathOnly);
  if (known < 0) return isFinal(known) ? known : -EAGAIN;
  FileAbout about;
  const int asked = calls_.about(known, &about);
  calls_.close(known);
  if (asked != 0 || (about.kind != FileKind::kRegular && about.kind != FileKind::kDirectory)) {
    return -EAGAIN;
  }
  // O_NONBLOCK, or a lease that another process holds would be waited for.
  const int fd = calls_.openCached(path, flags | O_NONBLOCK);
  if (fd < 0) return isFinal(fd) ? fd : -EAGAIN;
  // With the flag set the ring would answer EAGAIN instead of waiting.
  if (!(flags & O_NONBLOCK)) calls_.clearNonBlocking(fd, flags);
  const int64_t id = table_.add(fd, true, (flags & O_APPEND) != 0);
  if (id < 0) calls_.close(fd);
  return id;
}

int Files::tryStat(const char* path, bool follow, double* fields) {
  const int fd = calls_.openCached(path, kPathOnly | (follow ? 0 : O_NOFOLLOW));
  if (fd < 0) return isFinal(fd) ? fd : -EAGAIN;
  const bool known = calls_.fileSystem(fd) != FileSystem::kOther;
  const int result = known ? calls_.stat(fd, fields) : -EAGAIN;
  calls_.close(fd);
  return result;
}

int Files::tryStat(FileId id, double* fields) {
  OpenFile* file = table_.find(id);
  if (file == nullptr) return -EBADF;
  return systemOf(*file) == FileSystem::kOther ? -EAGAIN : calls_.stat(file->fd, fields);
}

ssize_t Files::readCached(int fd, const iovec& memory, int64_t offset) {
  const uint64_t from = StallGuard::nowMs();
  if (!guard_.open(from)) return -EAGAIN;
  const ssize_t n = calls_.readCached(fd, memory, offset);
  guard_.took(from, StallGuard::nowMs());
  return n;
}

ssize_t Files::writeCached(int fd, const iovec& memory, int64_t offset) {
  const uint64_t from = StallGuard::nowMs();
  if (!guard_.open(from)) return -EAGAIN;
  const ssize_t n = calls_.writeCached(fd, memory, offset);
  guard_.took(from, StallGuard::nowMs());
  return n;
}

bool Files::resident(int fd, uint64_t offset, uint64_t bytes) {
  const uint64_t from = StallGuard::nowMs();
  if (!guard_.open(from)) return false;
  const bool is = calls_.resident(fd, offset, bytes);
  guard_.took(from, StallGuard::nowMs());
  return is;
}

TryResult Files::tryRead(OpenFile& file, uint8_t* memory, uint64_t bytes, int64_t offset) {
  TryResult result;
  if (file.reading == NowaitSupport::kUnknown) file.reading = NowaitSupport::kCached;
  const uint64_t wanted = bytes < kFileNowBytesMax ? bytes : kFileNowBytesMax;
  while (file.reading != NowaitSupport::kNever && result.bytes < wanted) {
    const iovec rest{memory + result.bytes, wanted - result.bytes};
    const int64_t at = offset < 0 ? -1 : offset + static_cast<int64_t>(result.bytes);
    const ssize_t n = file.reading == NowaitSupport::kPlain ? calls_.read(file.fd, rest, at)
                                                            : readCached(file.fd, rest, at);
    if (n > 0) {
      result.bytes += static_cast<uint64_t>(n);
      // Of a regular file a short read is its end, or the beginning of what is not in memory.
      if (file.kind != FileKind::kRegular) return result;
      continue;
    }
    if (n == 0) return result;
    if (n == -EOPNOTSUPP && file.reading == NowaitSupport::kCached) {
      file.reading = inMemory(file) ? NowaitSupport::kPlain : NowaitSupport::kNever;
      continue;
    }
    if (n == -EINTR) continue;
    if (n == -EAGAIN || n == -EWOULDBLOCK) break;
    if (result.bytes == 0) result.error = static_cast<int>(-n);
    return result;
  }
  result.waits = result.bytes < bytes;
  result.never = file.reading == NowaitSupport::kNever;
  return result;
}

TryResult Files::tryWrite(OpenFile& file, uint8_t* memory, uint64_t bytes, int64_t offset) {
  TryResult result;
  result.waits = true;
  if (file.writing == NowaitSupport::kUnknown) {
    // An append has to be one call, or it mixes with those of others; the cached form may stop
    // half-way.
    const bool whole = file.append || file.kind != FileKind::kRegular;
    file.writing = inMemory(file) ? NowaitSupport::kPlain
                   : whole        ? NowaitSupport::kNever
                                  : NowaitSupport::kCached;
  }
  result.never = file.writing == NowaitSupport::kNever;
  if (result.never || bytes > kFileNowBytesMax) return result;
  const iovec all{memory, bytes};
  const ssize_t n = file.writing == NowaitSupport::kPlain ? calls_.write(file.fd, all, offset)
                                                          : writeCached(file.fd, all, offset);
  if (n >= 0) {
    result.bytes = static_cast<uint64_t>(n);
    result.waits = result.bytes < bytes && file.writing == NowaitSupport::kCached;
    return result;
  }
  if (n == -EOPNOTSUPP) {
    file.writing = NowaitSupport::kNever;
    result.never = true;
  }
  if (n != -EAGAIN && n != -EWOULDBLOCK && n != -EINTR && n != -EOPNOTSUPP) {
    result.error = static_cast<int>(-n);
    result.waits = false;
  }
  return result;
}

Files::Whole Files::readWhole(const char* path, uint8_t* memory, uint64_t capacity) {
  Whole whole;
  const int fd = calls_.openCached(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) {
    whole.bytes = isFinal(fd) ? fd : -EAGAIN;
    return whole;
  }
  FileAbout about;
  const int asked = calls_.about(fd, &about);
  if (asked == 0 && about.kind == FileKind::kPipe) {
    // Closing it would tell a writer that waits at the other end that its reader has gone.
    whole.bytes = -EAGAIN;
    whole.pipe = fd;
    return whole;
  }
  if (asked == 0 && about.kind == FileKind::kDirectory) {
    whole.bytes = -EISDIR;
    calls_.close(fd);
    return whole;
  }
  if (asked == 0 && about.kind == FileKind::kRegular && about.bytes > 0 &&
      about.bytes <= capacity) {
    OpenFile file{
        fd, 0, false, false, FileKind::kRegular, NowaitSupport::kUnknown, NowaitSupport::kUnknown};
    const TryResult read = tryRead(file, memory, about.bytes, 0);
    if (!read.waits) {
      calls_.close(fd);
      whole.bytes = read.error != 0 ? -read.error : static_cast<int64_t>(read.bytes);
      return whole;
    }
  }
  calls_.clearNonBlocking(fd, O_RDONLY);
  whole.bytes = -EAGAIN;
  whole.size = about.bytes;
  whole.file = table_.add(fd, true, false);
  if (whole.file < 0) calls_.close(fd);
  return whole;
}

}  // namespace ringpoll
