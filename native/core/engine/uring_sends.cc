#include "uring_sends.h"

#include <algorithm>
#include <cerrno>

#include "core/base/assert.h"

namespace ringpoll {

namespace {
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
constexpr uint64_t kTagMask = ~uint64_t{0} << 56;
}  // namespace

uint32_t UringSends::room() const {
  return std::min(kSendsTogetherMax, ring_.completionRoom() / 2);
}

void UringSends::add(int fd, const iovec* vectors, uint32_t count) {
  RP_ASSERT(used_ < kSendsTogetherMax && count > 0 && count <= kTogetherVectorsMax);
  if (items_.empty()) {
    items_.resize(kSendsTogetherMax);
    results_.resize(kSendsTogetherMax);
  }
  Item& item = items_[used_++];
  item.fd = fd;
  item.count = count;
  std::copy(vectors, vectors + count, item.vectors);
}

void UringSends::submit(Item& item, uint32_t index) {
  io_uring_sqe* sqe = ring_.next(tag_ | index);
  if (item.count == 1) {
    io_uring_prep_send(sqe, item.fd, item.vectors[0].iov_base, item.vectors[0].iov_len, kSendFlags);
    return;
  }
  item.message = msghdr{};
  item.message.msg_iov = item.vectors;
  item.message.msg_iovlen = item.count;
  io_uring_prep_sendmsg(sqe, item.fd, &item.message, kSendFlags);
}

const int32_t* UringSends::run() {
  completed_ = 0;
  for (uint32_t i = 0; i < used_; ++i) submit(items_[i], i);
  while (completed_ < used_) {
    ring_.submitNow();
    takeCompletions();
  }
  used_ = 0;
  return results_.data();
}

void UringSends::takeCompletions() {
  ring_.drain([] { return true; },
              [this](const io_uring_cqe& cqe) {
                if ((cqe.user_data & kTagMask) != tag_) {
                  putBy_.emplace_back(cqe);
                  return;
                }
                const auto index = static_cast<uint32_t>(cqe.user_data);
                RP_ASSERT(index < used_);
                results_[index] = cqe.res == -EINTR ? -EAGAIN : cqe.res;
                ++completed_;
              });
}

}  // namespace ringpoll
