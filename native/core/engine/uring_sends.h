// Many sends in one io_uring_enter. With MSG_DONTWAIT the kernel completes each while it takes it
// in, so their completions are in the queue when enter returns. Completions of other operations
// that are met there belong to the next turn: they are put by, in their order.
#pragma once

#include <sys/socket.h>

#include <vector>

#include "send_batch.h"
#include "uring_ring.h"

namespace ringpoll {

// What is needed of a completion that was put by.
struct PutBy {
  explicit PutBy(const io_uring_cqe& cqe)
      : userData(cqe.user_data), result(cqe.res), flags(cqe.flags) {}
  io_uring_cqe completion() const {
    io_uring_cqe cqe{};
    cqe.user_data = userData;
    cqe.res = result;
    cqe.flags = flags;
    return cqe;
  }

  uint64_t userData;
  int32_t result;
  uint32_t flags;
};

class UringSends final : public SendBatch {
 public:
  // `tag` is the top byte of the user_data of its operations.
  UringSends(Ring& ring, std::vector<PutBy>& putBy, uint8_t tag)
      : ring_(ring), putBy_(putBy), tag_(static_cast<uint64_t>(tag) << 56) {}

  uint32_t room() const override;
  void add(int fd, const iovec* vectors, uint32_t count) override;
  const int32_t* run() override;

 private:
  struct Item {
    int fd;
    uint32_t count;
    iovec vectors[kTogetherVectorsMax];
    msghdr message;
  };

  void submit(Item& item, uint32_t index);
  void takeCompletions();

  Ring& ring_;
  std::vector<PutBy>& putBy_;
  const uint64_t tag_;
  std::vector<Item> items_;  // does not grow after the first use: the kernel reads them
  std::vector<int32_t> results_;
  uint32_t used_ = 0;
  uint32_t completed_ = 0;
};

}  // namespace ringpoll
