// Open files, by number. A number holds a slot and a generation, so that one that was closed finds
// nothing, whoever got its descriptor since.
#pragma once

#include <cstdint>
#include <vector>

#include "core/system/file_calls.h"

namespace ringpoll {

using FileId = uint32_t;
inline constexpr uint32_t kFileSlotBits = 20;
inline constexpr uint32_t kFileGenerationBits = 11;  // a number is positive as an int32 too
inline constexpr uint32_t kOpenFilesMax = 1u << kFileSlotBits;

// How the loop's own thread may read or write a file.
enum class NowaitSupport : uint8_t {
  kUnknown,
  kCached,  // with RWF_NOWAIT
  kPlain,   // with the ordinary calls: there is no disk beneath
  kNever,
};

struct OpenFile {
  int fd = -1;  // -1: nothing is open in this slot
  uint16_t generation = 0;
  bool owned = false;  // ours to close; otherwise Node's, which keeps count of those it opened
  bool append = false;
  FileKind kind = FileKind::kOther;
  NowaitSupport reading = NowaitSupport::kUnknown;
  NowaitSupport writing = NowaitSupport::kUnknown;
};

class FileTable {
 public:
  explicit FileTable(FileCalls& calls) : calls_(calls) {}
  ~FileTable() { closeAll(); }
  FileTable(const FileTable&) = delete;
  FileTable& operator=(const FileTable&) = delete;

  // The number of a descriptor, or -EMFILE at kOpenFilesMax.
  int64_t add(int fd, bool owned, bool append);
  // nullptr: closed, or never open.
  OpenFile* find(FileId id) {
    const uint32_t slot = id & (kOpenFilesMax - 1);
    if (slot >= files_.size() || files_[slot].fd < 0) return nullptr;
    return files_[slot].generation == id >> kFileSlotBits ? &files_[slot] : nullptr;
  }
  // Ends the number, not the descriptor: returns that, or -1.
  int forget(FileId id);
  // Closes what is ours.
  void closeAll();
  uint32_t open() const { return static_cast<uint32_t>(files_.size() - free_.size()); }

 private:
  FileCalls& calls_;
  std::vector<OpenFile> files_;
  std::vector<uint32_t> free_;
};

}  // namespace ringpoll
