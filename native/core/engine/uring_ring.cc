#include "uring_ring.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "uring_compat.h"

namespace ringpoll {

namespace {

std::string describe(const char* what, int error) {
  std::string text = std::string(what) + ": " + std::strerror(error);
  switch (error) {
    case EPERM:
      return text + " (a seccomp profile or kernel.io_uring_disabled forbids io_uring)";
    case ENOSYS:
      return text + " (this kernel or sandbox has no io_uring)";
    case ENOMEM:
      return text + " (RLIMIT_MEMLOCK is too small for the rings)";
    case EINVAL:
      return text + " (the kernel is too old for what is needed)";
    default:
      return text;
  }
}

// The best set-up first. Without the second (5.19) multishot accept and buffer rings are missing
// too, and the poll engine is the better choice.
constexpr unsigned kSetups[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
};

constexpr int kNeededOpcodes[] = {IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_ACCEPT,
                                  IORING_OP_RECV,     IORING_OP_SENDMSG,      IORING_OP_CONNECT};

}  // namespace

std::string Ring::open(uint32_t completionEntries) {
  int error = 0;
  for (unsigned setup : kSetups) {
    io_uring_params params{};
    params.flags = setup | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = completionEntries;
    uint32_t entries = kSubmissionEntries;
    if (entries > completionEntries) entries = completionEntries;
    error = -io_uring_queue_init_params(entries, &ring_, &params);
    if (error == 0) {
      taskrunFlag_ = (setup & IORING_SETUP_TASKRUN_FLAG) != 0;
      break;
    }
    if (error != EINVAL) break;
  }
  if (error != 0) return describe("io_uring_setup", error);
  open_ = true;
  if (!(ring_.features & IORING_FEAT_EXT_ARG) || !(ring_.features & IORING_FEAT_NODROP)) {
    close();
    return describe("io_uring features EXT_ARG and NODROP", EINVAL);
  }
  io_uring_probe* probe = io_uring_get_probe_ring(&ring_);
  if (probe == nullptr) {
    close();
    return "io_uring probe: the kernel did not answer";
  }
  for (int opcode : kNeededOpcodes) {
    if (io_uring_opcode_supported(probe, opcode)) continue;
    io_uring_free_probe(probe);
    close();
    return "io_uring operation " + std::to_string(opcode) + " is not supported";
  }
  for (int opcode = 0; opcode <= probe->last_op; ++opcode) {
    supported_.push_back(io_uring_opcode_supported(probe, opcode) != 0);
  }
  io_uring_free_probe(probe);
  io_uring_register_ring_fd(&ring_);  // 5.18; without it each enter looks the descriptor up
  return "";
}

void Ring::close() {
  if (!open_) return;
  if (bufferRing_ != nullptr) {
    io_uring_unregister_buf_ring(&ring_, kBufferGroup);
    ::munmap(bufferRing_, kProvidedBuffers * sizeof(io_uring_buf));
    bufferRing_ = nullptr;
  }
  io_uring_queue_exit(&ring_);
  open_ = false;
  for (BlockId block : buffers_) {
    if (block != kNoBlock) arena_.release(block);
  }
  buffers_.clear();
  taken_.clear();
}

io_uring_sqe* Ring::next(uint64_t userData) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    ++metrics_.ringEnters;
    // -EBUSY: the completion queue has overflowed and must be flushed first; the kernel keeps what
    // did not fit (NODROP), so nothing is lost by asking for it here.
    if (io_uring_submit(&ring_) == -EBUSY) io_uring_get_events(&ring_);
    sqe = io_uring_get_sqe(&ring_);
  }
  ++metrics_.submissions;
  // The preparation helpers leave user_data alone, so it can be set before them.
  sqe->user_data = userData;
  return sqe;
}

void Ring::noteOverflow() {
  const uint32_t overflow = *ring_.cq.koverflow;
  if (overflow == lastOverflow_ && !io_uring_cq_has_overflow(&ring_)) return;
  lastOverflow_ = overflow;
  ++metrics_.ringOverflows;
}

void Ring::enter(int64_t timeoutNs) {
  noteOverflow();
  metrics_.ringQueued = io_uring_sq_ready(&ring_);
  if (timeoutNs == 0) {
    if (io_uring_sq_ready(&ring_) > 0) {
      ++metrics_.ringEnters;
      io_uring_submit_and_get_events(&ring_);
    } else {
      collect();
    }
    return;
  }
  __kernel_timespec timeout{timeoutNs / 1'000'000'000, timeoutNs % 1'000'000'000};
  io_uring_cqe* cqe = nullptr;
  ++metrics_.ringEnters;
  // -ETIME and -EINTR are ordinary ends of a wait; -EBUSY asks us to reap, which comes next.
  io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, timeoutNs < 0 ? nullptr : &timeout, nullptr);
}

void Ring::submitNow() {
  noteOverflow();
  metrics_.ringQueued = io_uring_sq_ready(&ring_);
  ++metrics_.ringEnters;
  if (io_uring_sq_ready(&ring_) == 0 || io_uring_submit(&ring_) == -EBUSY) {
    io_uring_get_events(&ring_);
  }
}

bool Ring::collect() {
  const unsigned flags = IO_URING_READ_ONCE(*ring_.sq.kflags);
  const bool deferred = (flags & IORING_SQ_TASKRUN) != 0 || !taskrunFlag_;
  if (!deferred && !(flags & IORING_SQ_CQ_OVERFLOW)) return false;
  ++metrics_.ringEnters;
  io_uring_get_events(&ring_);
  return io_uring_cq_ready(&ring_) > 0;
}

bool Ring::provideBuffers() {
  if (bufferRing_ != nullptr) return true;
  const size_t bytes = kProvidedBuffers * sizeof(io_uring_buf);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) return false;
  auto* ring = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(ring);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uintptr_t>(memory);
  registration.ring_entries = kProvidedBuffers;
  registration.bgid = kBufferGroup;
  if (io_uring_register_buf_ring(&ring_, &registration, 0) != 0) {
    ::munmap(memory, bytes);
    return false;
  }
  bufferRing_ = ring;
  buffers_.assign(kProvidedBuffers, kNoBlock);
  for (uint32_t i = 0; i < kProvidedBuffers; ++i) taken_.push_back(static_cast<uint16_t>(i));
  return recycleBuffers();
}

void Ring::addBuffer(uint16_t index, int position) {
  io_uring_buf_ring_add(bufferRing_, arena_.data(buffers_[index]), kProvidedBufferBytes, index,
                        io_uring_buf_ring_mask(kProvidedBuffers), position);
}

bool Ring::recycleBuffers() {
  int added = 0;
  size_t kept = 0;
  for (uint16_t index : taken_) {
    BlockId& block = buffers_[index];
    if (block != kNoBlock && arena_.references(block) > 1) {
      arena_.release(block);  // somebody retained it: it is theirs now
      block = kNoBlock;
    }
    if (block == kNoBlock) block = arena_.lease(kProvidedBufferBytes);
    if (block == kNoBlock) {
      taken_[kept++] = index;  // no memory: tried again next turn
      continue;
    }
    addBuffer(index, added++);
  }
  taken_.resize(kept);
  if (added > 0) io_uring_buf_ring_advance(bufferRing_, added);
  available_ += static_cast<uint32_t>(added);
  return available_ > 0;
}

}  // namespace ringpoll
