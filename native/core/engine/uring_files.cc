#include "uring_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "core/system/file_stats.h"
#include "uring_compat.h"

namespace ringpoll {

namespace {

constexpr int kTagShift = 56;

int opcodeOf(FileOp op) {
  switch (op) {
    case FileOp::kOpen:
      return IORING_OP_OPENAT;
    case FileOp::kClose:
      return IORING_OP_CLOSE;
    case FileOp::kRead:
      return IORING_OP_READ;
    case FileOp::kWrite:
      return IORING_OP_WRITE;
    case FileOp::kSync:
    case FileOp::kDataSync:
      return IORING_OP_FSYNC;
    case FileOp::kStat:
      return IORING_OP_STATX;
    case FileOp::kTruncate:
      return kOpFtruncate;
    case FileOp::kAllocate:
      return IORING_OP_FALLOCATE;
    case FileOp::kRename:
      return IORING_OP_RENAMEAT;
    case FileOp::kUnlink:
      return IORING_OP_UNLINKAT;
  }
  return -1;
}

void prepare(io_uring_sqe* sqe, FileRequest& request) {
  const char* path = request.path.c_str();
  const auto length = static_cast<unsigned>(request.length);
  const auto offset = static_cast<uint64_t>(request.offset);
  switch (request.op) {
    case FileOp::kOpen:
      // On a worker at once. What the caches can answer was answered without the ring; and the
      // ring's first try is O_NONBLOCK, with which a FIFO opens before anybody is at its other end.
      io_uring_prep_openat(sqe, AT_FDCWD, path, static_cast<int>(request.flags) | O_CLOEXEC,
                           request.mode);
      sqe->flags |= IOSQE_ASYNC;
      break;
    case FileOp::kClose:
      // The last close of a written file may start writing it back, which is a worker's work.
      io_uring_prep_close(sqe, request.fd);
      sqe->flags |= IOSQE_ASYNC;
      break;
    case FileOp::kRead:
      io_uring_prep_read(sqe, request.fd, request.memory, length, offset);
      if (request.onWorker) sqe->flags |= IOSQE_ASYNC;
      break;
    case FileOp::kWrite:
      io_uring_prep_write(sqe, request.fd, request.memory, length, offset);
      if (request.onWorker) sqe->flags |= IOSQE_ASYNC;
      break;
    case FileOp::kSync:
      io_uring_prep_fsync(sqe, request.fd, 0);
      break;
    case FileOp::kDataSync:
      io_uring_prep_fsync(sqe, request.fd, IORING_FSYNC_DATASYNC);
      break;
    case FileOp::kStat:
      io_uring_prep_statx(sqe, request.fd < 0 ? AT_FDCWD : request.fd, path,
                          static_cast<int>(request.flags), kStatMask,
                          reinterpret_cast<struct statx*>(request.memory));
      break;
    case FileOp::kTruncate:
      io_uring_prep_rw(kOpFtruncate, sqe, request.fd, nullptr, 0, request.length);
      break;
    case FileOp::kAllocate:
      io_uring_prep_fallocate(sqe, request.fd, static_cast<int>(request.mode),
                              static_cast<off_t>(request.offset),
                              static_cast<off_t>(request.length));
      break;
    case FileOp::kRename:
      io_uring_prep_renameat(sqe, AT_FDCWD, path, AT_FDCWD, request.target.c_str(), 0);
      break;
    case FileOp::kUnlink:
      io_uring_prep_unlinkat(sqe, AT_FDCWD, path, 0);
      break;
  }
}

}  // namespace

// A request never moves while it is under way, so its address names it.
uint64_t UringFiles::userData(const FileRequest& request) const {
  const auto address = reinterpret_cast<uintptr_t>(&request);
  RP_ASSERT(static_cast<uint64_t>(address) >> kTagShift == 0);
  return address | static_cast<uint64_t>(tag_) << kTagShift;
}

bool UringFiles::offers(FileOp op) const { return ring_.supports(opcodeOf(op)); }

void UringFiles::submit(FileRequest& request) {
  RP_ASSERT(!request.inKernel);
  io_uring_sqe* sqe = ring_.next(userData(request));
  prepare(sqe, request);
  request.inKernel = true;
  ++inKernel_;
  ++metrics_.fileOperations;
}

void UringFiles::cancel(FileRequest& request) {
  if (!request.inKernel) return;
  const uint64_t target = userData(request);
  io_uring_sqe* sqe = ring_.next(static_cast<uint64_t>(ignoreTag_) << kTagShift);
  io_uring_prep_cancel64(sqe, target, 0);
}

FileRequest& UringFiles::finished(const io_uring_cqe& cqe) {
  const uint64_t address = cqe.user_data & ((1ull << kTagShift) - 1);
  auto& request = *reinterpret_cast<FileRequest*>(static_cast<uintptr_t>(address));
  RP_ASSERT(request.inKernel && inKernel_ > 0);
  request.inKernel = false;
  --inKernel_;
  return request;
}

void UringFiles::take(const io_uring_cqe& cqe) {
  const FileRequest& request = finished(cqe);
  if (request.op == FileOp::kStat && cqe.res >= 0) {
    struct statx stats;
    std::memcpy(&stats, request.memory, sizeof stats);
    toStatFields(stats, reinterpret_cast<double*>(request.memory));
  }
  ready_.push(makeToken(request.id, 0), OpKind::kFile, cqe.res);
}

void UringFiles::drop(const io_uring_cqe& cqe) {
  const FileRequest& request = finished(cqe);
  if (request.op == FileOp::kOpen && cqe.res >= 0) ::close(cqe.res);
  if (request.op == FileOp::kClose && cqe.res == -ECANCELED) ::close(request.fd);
}

}  // namespace ringpoll
