#include "mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace ringpoll {

std::unique_ptr<MappedFile> MappedFile::map(int fd, uint64_t bytes) {
  // Of a socket or a pipe that is an error. (fstat() would be a symbol of glibc 2.33.)
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return nullptr;
  if (static_cast<uint64_t>(size) < bytes) {
    errno = EINVAL;
    return nullptr;
  }
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return nullptr;
  return std::unique_ptr<MappedFile>(new MappedFile(memory, bytes));
}

MappedFile::~MappedFile() { munmap(memory_, bytes_); }

}  // namespace ringpoll
