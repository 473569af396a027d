#include "transfer_box.h"

namespace ringpoll {

TransferBox::~TransferBox() {
  while (take() != nullptr) {
  }
}

Posting TransferBox::post(std::unique_ptr<Arrival>& arrival) {
  if (!wake_.isOpen() || takers_.load(std::memory_order_acquire) == 0) return Posting::kNobody;
  if (!ring_.push(arrival.get())) return Posting::kFull;
  static_cast<void>(arrival.release());  // the taker's from the push on
  wake_.signal();
  return Posting::kTaken;
}

std::unique_ptr<Arrival> TransferBox::take() {
  Arrival* arrival = nullptr;
  return std::unique_ptr<Arrival>(ring_.pop(&arrival) ? arrival : nullptr);
}

}  // namespace ringpoll
