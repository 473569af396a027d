// A head or a trailer section that must be contiguous for its parser: it is looked at where it was
// received, or, once a read has ended within it, in a block that gathers it.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/http/parser/request_parser.h"
#include "core/memory/received_bytes.h"

namespace ringpoll::http {

class Section {
 public:
  bool gathering() const { return block_ != kNoBlock; }
  // Behind what is gathered, at the block's end: room that the caller asked for as `tail` bytes.
  uint8_t* tail(Arena& arena, uint32_t bytes) const {
    return arena.data(block_) + arena.size(block_) - bytes;
  }

  // Takes bytes from the front of `piece`. `section` is what was looked at; when done, the section
  // itself. `noMemory` is the error of an arena that has no block.
  template <typename Parser>
  HeadResult feed(Arena& arena, Parser& parser, uint32_t limit, uint32_t tailBytes,
                  HttpError noMemory, ReceivedBytes* piece, ReceivedBytes* section) {
    const uint32_t before = length_;
    uint32_t taken = piece->length;
    HeadResult result;
    if (!gathering()) {
      result = parser.feed(arena.data(piece->block) + piece->offset, taken);
      *section = *piece;
      taken = std::min(taken, limit);
      if (result.step == Step::kNeedMore && !add(arena, *piece, taken, limit, tailBytes)) {
        return {Step::kError, noMemory, 0};
      }
    } else {
      taken = std::min(taken, limit - before);
      if (taken == 0) return {Step::kError, HttpError::kHeadTooLarge, 0};
      if (!add(arena, *piece, taken, limit, tailBytes)) return {Step::kError, noMemory, 0};
      result = parser.feed(arena.data(block_), before + taken);
      *section = {block_, 0, before + taken};
    }
    if (result.step == Step::kError) return result;
    if (result.step == Step::kDone) {
      taken = result.offset - before;
      section->length = result.offset;
      length_ = 0;
    } else {
      length_ = before + taken;
    }
    piece->offset += taken;
    piece->length -= taken;
    return result;
  }

  // JavaScript may read the block until the turn is over: `retired` is released then.
  void retire(std::vector<BlockId>& retired) {
    if (gathering()) retired.push_back(block_);
    block_ = kNoBlock;
    length_ = 0;
  }

 private:
  bool add(Arena& arena, const ReceivedBytes& piece, uint32_t bytes, uint32_t limit,
           uint32_t tailBytes) {
    const uint32_t needed = length_ + bytes + tailBytes;
    if (!gathering() || arena.size(block_) < needed) {
      // Grows as the peer sends, so that a slow one does not hold what the longest head needs.
      const uint32_t wanted = std::min(needed + length_, limit + tailBytes);
      const BlockId grown = arena.lease(std::max(needed, wanted));
      if (grown == kNoBlock) return false;
      if (gathering()) {
        std::memcpy(arena.data(grown), arena.data(block_), length_);
        arena.release(block_);
      }
      block_ = grown;
    }
    std::memcpy(arena.data(block_) + length_, arena.data(piece.block) + piece.offset, bytes);
    return true;
  }

  BlockId block_ = kNoBlock;
  uint32_t length_ = 0;
};

}  // namespace ringpoll::http
