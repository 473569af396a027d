#include "file_table.h"

#include <cerrno>

namespace ringpoll {

int64_t FileTable::add(int fd, bool owned, bool append) {
  if (free_.empty()) {
    if (files_.size() == kOpenFilesMax) return -EMFILE;
    free_.push_back(static_cast<uint32_t>(files_.size()));
    files_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  const uint16_t generation = files_[slot].generation;
  FileAbout about;
  calls_.about(fd, &about);
  files_[slot] = {
      fd, generation, owned, append, about.kind, NowaitSupport::kUnknown, NowaitSupport::kUnknown};
  return static_cast<int64_t>(generation) << kFileSlotBits | slot;
}

int FileTable::forget(FileId id) {
  OpenFile* file = find(id);
  if (file == nullptr) return -1;
  const int fd = file->fd;
  const uint32_t mask = (1u << kFileGenerationBits) - 1;
  const auto generation = static_cast<uint16_t>((file->generation + 1u) & mask);
  *file = OpenFile{};
  file->generation = generation;
  free_.push_back(id & (kOpenFilesMax - 1));
  return fd;
}

void FileTable::closeAll() {
  for (uint32_t slot = 0; slot < files_.size(); ++slot) {
    OpenFile& file = files_[slot];
    if (file.fd < 0) continue;
    if (file.owned) calls_.close(file.fd);
    forget(static_cast<uint32_t>(file.generation) << kFileSlotBits | slot);
  }
}

}  // namespace ringpoll
