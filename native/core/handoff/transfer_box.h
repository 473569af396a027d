// Connections on their way to one thread of a group. Any thread puts them in; the loop of the
// thread, or two of them while it is replaced, take them out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/limits.h"
#include "core/loop/arrivals.h"
#include "core/system/wake.h"
#include "mpmc_ring.h"

namespace ringpoll {

enum class Posting : uint8_t {
  kTaken,
  kNobody,  // no loop takes from here now
  kFull,
};

class TransferBox final : public ArrivalSource {
 public:
  TransferBox() = default;
  // Closes what nobody took.
  ~TransferBox() override;

  // `arrival` is the box's if it is kTaken, else it stays the caller's.
  Posting post(std::unique_ptr<Arrival>& arrival);
  uint32_t size() const { return ring_.size(); }

  std::unique_ptr<Arrival> take() override;
  bool empty() const override { return ring_.empty(); }
  int wakeFd() const override { return wake_.fd(); }
  void joined() override { takers_.fetch_add(1, std::memory_order_acq_rel); }
  void left() override { takers_.fetch_sub(1, std::memory_order_acq_rel); }

 private:
  MpmcRing<Arrival*, kTransfersMax> ring_;
  Wake wake_;
  std::atomic<uint32_t> takers_{0};
};

}  // namespace ringpoll
