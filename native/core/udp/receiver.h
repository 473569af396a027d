// Receives datagrams in batches, into the arena. One for each loop.
//
// A datagram of up to kSlotBytes lies in its slot, one of many in a block. A larger one goes on in
// a block of its own, behind room for its beginning, which is moved there: so few bytes take little
// memory, many are moved once by the kernel, and none is cut off for want of room.
#pragma once

#include <utility>
#include <vector>

#include "ancillary.h"
#include "core/memory/scratch_block.h"
#include "core/system/datagram_calls.h"
#include "record.h"

namespace ringpoll::udp {

inline constexpr uint32_t kBatchMax = 32;                 // datagrams of one system call
inline constexpr uint32_t kSlotBytes = 2048;              // a larger one takes a block
inline constexpr uint32_t kSlotStride = kSlotBytes + 64;  // the same lines of a cache are not all's
inline constexpr uint32_t kDatagramBytesMax = 65535;      // the largest that there can be
inline constexpr uint32_t kLargeBlockBytes = 64 * 1024;

struct Batch {
  uint32_t count = 0;
  uint32_t truncated = 0;
  uint64_t bytes = 0;
  BlockId block = kNoBlock;  // where the records lie
  uint32_t offset = 0;
};

class Receiver {
 public:
  Receiver(Arena& arena, DatagramCalls& calls);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Receives at most `most` datagrams, and of each at most `bytesMax` bytes: how many, or -errno;
  // -ENOMEM: the arena has no memory. `kernelDropped` as readControl() says.
  int receive(int fd, uint32_t most, uint32_t bytesMax, Batch* out, uint32_t* kernelDropped);
  // JavaScript has seen them.
  void endTurn();

 private:
  bool prepare(uint32_t most, uint32_t bytesMax, const ScratchBlock::Room& room);
  void finish(uint32_t i, const ScratchBlock::Room& room, Batch* out, uint32_t* kernelDropped);

  Arena& arena_;
  DatagramCalls& calls_;
  ScratchBlock slots_;
  std::vector<BlockId> used_;  // large blocks of this turn
  DatagramMessage messages_[kBatchMax];
  iovec vectors_[kBatchMax][2];
  sockaddr_storage addresses_[kBatchMax];
  alignas(cmsghdr) uint8_t controls_[kBatchMax][kControlBytes];
  BlockId large_[kBatchMax];
};

}  // namespace ringpoll::udp
