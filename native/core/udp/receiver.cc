#include "receiver.h"

#include <algorithm>
#include <cerrno>

namespace ringpoll::udp {

namespace {
constexpr uint32_t kTableBytes = kBatchMax * kRecordBytes;
static_assert(kTableBytes + kBatchMax * kSlotStride <= kHotBlockBytes, "a batch fits into a block");
static_assert(kDatagramBytesMax <= kLargeBlockBytes && kLargeBlockBytes <= kBlockBytesMax);
}  // namespace

Receiver::Receiver(Arena& arena, DatagramCalls& calls)
    : arena_(arena), calls_(calls), slots_(arena) {
  for (uint32_t i = 0; i < kBatchMax; ++i) {
    large_[i] = kNoBlock;
    messages_[i].header.msg_name = &addresses_[i];
    messages_[i].header.msg_iov = vectors_[i];
    messages_[i].header.msg_control = controls_[i];
  }
}

Receiver::~Receiver() {
  endTurn();
  for (BlockId block : large_) {
    if (block != kNoBlock) arena_.release(block);
  }
}

bool Receiver::prepare(uint32_t most, uint32_t bytesMax, const ScratchBlock::Room& room) {
  for (uint32_t i = 0; i < most; ++i) {
    msghdr& header = messages_[i].header;
    header.msg_namelen = sizeof addresses_[i];
    header.msg_controllen = kControlBytes;
    header.msg_flags = 0;
    header.msg_iovlen = 1;
    vectors_[i][0] = {room.at + kTableBytes + i * kSlotStride, std::min(bytesMax, kSlotBytes)};
    if (bytesMax <= kSlotBytes) continue;
    if (large_[i] == kNoBlock) large_[i] = arena_.lease(kLargeBlockBytes);
    if (large_[i] == kNoBlock) return false;
    header.msg_iovlen = 2;
    vectors_[i][1] = {arena_.data(large_[i]) + kSlotBytes, bytesMax - kSlotBytes};
  }
  return true;
}

int Receiver::receive(int fd, uint32_t most, uint32_t bytesMax, Batch* out,
                      uint32_t* kernelDropped) {
  most = std::min(most, kBatchMax);
  ScratchBlock::Room room;
  if (!slots_.room(kTableBytes + kBatchMax * kSlotStride, &room)) return -ENOMEM;
  if (!prepare(most, bytesMax, room)) return -ENOMEM;
  const int received = calls_.receive(fd, messages_, most);
  if (received <= 0) return received;
  *out = Batch{static_cast<uint32_t>(received), 0, 0, room.block, room.offset};
  for (uint32_t i = 0; i < out->count; ++i) finish(i, room, out, kernelDropped);
  slots_.commit(kTableBytes + out->count * kSlotStride);
  return received;
}

void Receiver::finish(uint32_t i, const ScratchBlock::Room& room, Batch* out,
                      uint32_t* kernelDropped) {
  auto* record = reinterpret_cast<int32_t*>(room.at) + i * kRecordWords;
  msghdr& header = messages_[i].header;
  const uint32_t length = messages_[i].length;
  if (header.msg_namelen == 0) addresses_[i].ss_family = AF_UNSPEC;
  writeAddress(addresses_[i], record);
  if (header.msg_controllen > 0) readControl(header, record, kernelDropped);
  if (header.msg_flags & MSG_TRUNC) {
    record[kPort] |= static_cast<int32_t>(kTruncated << kFlagsShift);
    ++out->truncated;
  }
  BlockId block = room.block;
  uint32_t offset = room.offset + kTableBytes + i * kSlotStride;
  if (length > kSlotBytes) {
    block = std::exchange(large_[i], kNoBlock);
    offset = 0;
    std::memcpy(arena_.data(block), vectors_[i][0].iov_base, kSlotBytes);
    used_.push_back(block);
  }
  record[kSlab] = static_cast<int32_t>(arena_.slab(block));
  record[kOffset] = static_cast<int32_t>(arena_.slabOffset(block) + offset);
  record[kLength] = static_cast<int32_t>(length);
  record[kBlock] = static_cast<int32_t>(block);
  out->bytes += length;
}

void Receiver::endTurn() {
  for (BlockId block : used_) arena_.release(block);
  used_.clear();
  slots_.recycle();
}

}  // namespace ringpoll::udp
