// What engines hand over, whichever kind they are, and the one queue it goes through.
#pragma once

#include <vector>

#include "channel.h"
#include "core/memory/arena.h"

namespace ringpoll {

enum class OpKind : uint8_t {
  kAccept,
  kReceive,
  kSend,
  kConnect,
  kWatch,
  kClose,
  kFile,
  kDetach,
  kHangup
};

struct Completion {
  Token token;
  OpKind kind;
  bool more;       // the operation goes on: further completions will follow
  int32_t result;  // bytes, a descriptor, or -errno
  BlockId block;   // received bytes: where they lie
  uint32_t offset;
};

// Completions of one turn, of all engines, in the order in which they were taken.
class ReadyQueue {
 public:
  ReadyQueue() { items_.reserve(kCompletionsPerTurnMax); }

  void push(const Completion& completion) { items_.push_back(completion); }
  void push(Token token, OpKind kind, int32_t result, bool more = false) {
    items_.push_back({token, kind, more, result, kNoBlock, 0});
  }
  uint32_t room() const {
    return items_.size() < kCompletionsPerTurnMax
               ? kCompletionsPerTurnMax - static_cast<uint32_t>(items_.size())
               : 0;
  }
  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  const Completion& operator[](size_t i) const { return items_[i]; }
  void clear() { items_.clear(); }

 private:
  std::vector<Completion> items_;
};

}  // namespace ringpoll
