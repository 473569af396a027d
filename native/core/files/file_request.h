// One operation on a file that cannot be answered at once: what the kernel needs of it, in memory
// that stays where it is until the completion.
//
//   idle --submit--> in kernel --completion--> idle
//                       | cancel: the completion comes all the same
#pragma once

#include <cstdint>
#include <string>

#include "core/channel/channel.h"
#include "core/memory/arena.h"

namespace ringpoll {

// lib/fs/routes.ts holds the same numbers.
enum class FileOp : uint8_t {
  kOpen = 0,
  kClose = 1,
  kRead = 2,
  kWrite = 3,
  kSync = 4,
  kDataSync = 5,
  kStat = 6,
  kTruncate = 7,
  kAllocate = 8,
  kRename = 9,
  kUnlink = 10,
};
inline constexpr uint32_t kFileOps = 11;

struct FileRequest {
  uint32_t id = 0;  // JavaScript's number of it, and its place in the table of requests
  FileOp op = FileOp::kOpen;
  bool inKernel = false;
  bool onWorker = false;  // begins on a thread of the kernel's, for the disk's queue is full
  int fd = -1;            // -1: the paths say what is meant
  uint32_t flags = 0;     // of open, stat or fallocate
  uint32_t mode = 0;
  int64_t offset = -1;  // -1: the descriptor's own position
  uint64_t length = 0;
  BlockId block = kNoBlock;   // bytes read or to write; of a stat: a struct statx, then the fields
  uint8_t* memory = nullptr;  // of the block
  Token connection = 0;       // whose bytes these are, when a file is being sent
  std::string path;
  std::string target;
};

}  // namespace ringpoll
