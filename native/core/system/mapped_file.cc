#include "mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace ringpoll {

std::unique_ptr<MappedFile> MappedFile::map(int fd, uint64_t bytes) {
  struct stat about {};
  if (fstat(fd, &about) != 0) return nullptr;
  if (!S_ISREG(about.st_mode) || static_cast<uint64_t>(about.st_size) < bytes) {
    errno = EINVAL;
    return nullptr;
  }
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return nullptr;
  return std::unique_ptr<MappedFile>(new MappedFile(memory, bytes));
}

MappedFile::~MappedFile() { munmap(memory_, bytes_); }

}  // namespace ringpoll
