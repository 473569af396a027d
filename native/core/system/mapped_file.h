// A file whose bytes are memory of this process, and of every other one that maps it.
#pragma once

#include <cstdint>
#include <memory>

namespace ringpoll {

class MappedFile {
 public:
  // The first `bytes` bytes of `fd`, which may be closed then. nullptr: errno says why; EINVAL: the
  // file is shorter.
  static std::unique_ptr<MappedFile> map(int fd, uint64_t bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  uint64_t* words() const { return static_cast<uint64_t*>(memory_); }

 private:
  MappedFile(void* memory, uint64_t bytes) : memory_(memory), bytes_(bytes) {}

  void* const memory_;
  const uint64_t bytes_;
};

}  // namespace ringpoll
