#include "file_sender.h"

#include <cerrno>
#include <cstring>

#include "core/base/assert.h"

namespace ringpoll {

namespace {

// Of the word that names the operation: its number, and above it who reads.
constexpr uint32_t kIdBits = 29;
constexpr uint32_t kReaderMask = 3;

struct FileCommand {
  FileId file;
  FileRange range;
};

FileCommand parse(const int32_t* words) {
  const auto low = [](int32_t word) { return static_cast<uint64_t>(static_cast<uint32_t>(word)); };
  const uint64_t highs = low(words[7]);
  FileCommand command{static_cast<FileId>(words[3]), {}};
  const auto name = static_cast<uint32_t>(words[4]);
  command.range.id = name & ((1u << kIdBits) - 1);
  command.range.reader = static_cast<FileReader>(name >> kIdBits & kReaderMask);
  command.range.offset = low(words[5]) | (highs >> 16) << 32;
  command.range.left = low(words[6]) | (highs & 0xffff) << 32;
  return command;
}

// What sendfile(2) says of a file that it cannot send, and not of the socket.
bool cannotSend(ssize_t result) {
  return result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP || result == -EOVERFLOW;
}

}  // namespace

void FileSender::refuse(const int32_t* words) {
  const FileRange range = parse(words).range;
  pending_.forget(static_cast<uint32_t>(words[1]), static_cast<double>(range.left));
  state_.events.pushFile(EventKind::kFile, range.id, -ECANCELED, 0, 0, kNoBlock);
}

void FileSender::queue(Channel& channel, const int32_t* words) {
  FileCommand command = parse(words);
  OpenFile* file = files_.table().find(command.file);
  if (file == nullptr || (channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent))) {
    refuse(words);
    return;
  }
  FileRange& range = command.range;
  if (range.reader == FileReader::kRing && !files_.offers(FileOp::kRead)) {
    range.reader = FileReader::kAny;
  }
  range.fetches = range.reader == FileReader::kRing;
  if (!range.fetches && copy(channel, *file, range)) return;
  range.fd = file->fd;
  state_.queues.pushFile(channel.queue(), files_.addRange(range));
  sender_.markDirty(channel);
}

// Few bytes leave in one call with what is written before and after them.
bool FileSender::copy(Channel& channel, OpenFile& file, const FileRange& range) {
  if (range.left > kFileCopyBytesMax || range.left == 0) return false;
  const auto bytes = static_cast<uint32_t>(range.left);
  const BlockId block = state_.arena.lease(bytes);
  if (block == kNoBlock) return false;
  const TryResult read =
      files_.tryRead(file, state_.arena.data(block), bytes, static_cast<int64_t>(range.offset));
  if (read.waits || read.error != 0 || read.bytes < bytes) {
    state_.arena.release(block);
    return false;
  }
  state_.queues.push(channel.queue(), block, 0, bytes, true);
  state_.events.pushFile(EventKind::kFile, range.id, 0, 0, 0, kNoBlock);
  sender_.markDirty(channel);
  return true;
}

bool FileSender::sendFront(Channel& channel) {
  FileRange& range = files_.range(state_.queues.frontFile(channel.sends));
  uint64_t share = kFileSendBytesMax;
  while (range.left > 0) {
    if (share == 0) {
      toResume_.push_back(channel.token());
      state_.moreReady = true;
      return false;
    }
    const uint64_t piece = range.left < share ? range.left : share;
    if (range.fetches || !files_.resident(range.fd, range.offset, piece)) {
      fetch(channel, range);
      return false;
    }
    ++state_.metrics.fileSends;
    const ssize_t n = files_.calls().sendFile(channel.fd, range.fd, range.offset, piece);
    if (n > 0) {
      const auto bytes = static_cast<uint64_t>(n);
      range.offset += bytes;
      range.left -= bytes;
      share -= bytes;
      sender_.countSent(channel, bytes);
      continue;
    }
    if (n == 0) {
      end(channel, -ENODATA);  // the file is shorter than it was
      return true;
    }
    if (n == -EINTR) continue;
    if (kernelLacksMemory(n)) {
      sender_.sendWithoutMemory(channel);
    } else if (socketIsFull(n)) {
      ++state_.metrics.sendsPartial;
      sender_.handOver(channel);
    } else if (cannotSend(n)) {
      range.fetches = true;
      continue;
    } else {
      ends_.fail(channel, static_cast<int>(-n), Syscall::kWrite);
    }
    return false;
  }
  end(channel, 0);
  return true;
}

ssize_t FileSender::readCached(const FileRange& range, uint8_t* memory, uint32_t bytes) {
  const iovec room{memory, bytes};
  const auto offset = static_cast<int64_t>(range.offset);
  ssize_t n;
  do {
    n = files_.readCached(range.fd, room, offset);
    if (n == -EOPNOTSUPP && files_.calls().fileSystem(range.fd) == FileSystem::kMemory) {
      n = files_.calls().read(range.fd, room, offset);
    }
  } while (n == -EINTR);
  return n;
}

bool FileSender::readFront(Channel& channel) {
  Filtered& filtered = *channel.filtered;
  FileRange& range = files_.range(state_.queues.frontFile(filtered.plain));
  if (range.left == 0) {
    end(channel, 0);
    return true;
  }
  if (range.fetches) {
    fetch(channel, range);
    return false;
  }
  if (filtered.fileBytes >= kFileSendBytesMax) {
    toResume_.push_back(channel.token());
    state_.moreReady = true;
    return false;
  }
  const auto piece =
      static_cast<uint32_t>(range.left < kFileEncodedBytes ? range.left : kFileEncodedBytes);
  const BlockId block = state_.arena.lease(piece);
  if (block == kNoBlock) {
    ends_.fail(channel, ENOMEM, Syscall::kWrite);
    return false;
  }
  const ssize_t n = readCached(range, state_.arena.data(block), piece);
  if (n <= 0) {
    state_.arena.release(block);
    if (n == 0) {
      end(channel, -ENODATA);  // the file is shorter than it was
      return true;
    }
    range.fetches = true;  // and so its error is told as that of any other read
    fetch(channel, range);
    return false;
  }
  const auto bytes = static_cast<uint32_t>(n);
  range.offset += bytes;
  range.left -= bytes;
  filtered.fileBytes += bytes;
  state_.queues.pushFront(filtered.plain, block, 0, bytes, true);
  return true;
}

// While it lasts nothing overtakes the bytes that are on their way.
void FileSender::setReading(Channel& channel, bool reading) {
  if (channel.filtered != nullptr) {
    channel.filtered->readsFile = reading;
  } else if (reading) {
    channel.flags |= kSending;
  } else {
    channel.flags &= ~kSending;
  }
}

void FileSender::end(Channel& channel, int32_t result) {
  SendQueue& queue = channel.queue();
  const uint32_t index = state_.queues.frontFile(queue);
  pending_[channel.slot] -= static_cast<double>(files_.range(index).left);
  state_.queues.popFile(queue);
  files_.endRange(index, result);
}

void FileSender::fetch(Channel& channel, const FileRange& range) {
  const auto bytes =
      static_cast<uint32_t>(range.left < kBlockBytesMax ? range.left : kBlockBytesMax);
  ++state_.metrics.fileFetches;
  setReading(channel, true);
  if (range.reader == FileReader::kPool || !files_.offers(FileOp::kRead)) {
    state_.events.pushFile(EventKind::kFileFetch, range.id, static_cast<int32_t>(bytes),
                           static_cast<uint32_t>(range.offset),
                           static_cast<uint32_t>(range.offset >> 32), 0);
    return;
  }
  FileRequest* request = files_.fetch(bytes);
  if (request == nullptr) {
    ends_.fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  request->fd = range.fd;
  request->offset = static_cast<int64_t>(range.offset);
  request->connection = channel.token();
  files_.submit(*request);
}

void FileSender::onCompletion(const Completion& completion) {
  FileRequest& request = files_.at(slotOf(completion.token));
  if (request.connection == 0) {
    files_.completed(request, completion.result);
    return;
  }
  const Token token = request.connection;
  const BlockId block = files_.fetched(request);
  Channel* channel = state_.channels.find(token);
  if (channel == nullptr || channel->state != ChannelState::kOpen) {
    state_.arena.release(block);
    return;
  }
  fetched(*channel, block, completion.result);
}

void FileSender::fetched(Channel& channel, BlockId block, int32_t result) {
  SendQueue& queue = channel.queue();
  RP_ASSERT(state_.queues.frontIsFile(queue));
  setReading(channel, false);
  FileRange& range = files_.range(state_.queues.frontFile(queue));
  if (result > 0) {
    const auto bytes = static_cast<uint32_t>(result);
    range.offset += bytes;
    range.left -= bytes;
    state_.queues.pushFront(queue, block, 0, bytes, true);
  } else {
    if (block != kNoBlock) state_.arena.release(block);
    end(channel, result == 0 ? -ENODATA : result);
  }
  routes_.migrateIfDue(channel);
  sender_.flushConnection(channel);
}

void FileSender::fetched(Channel& channel, uint32_t id, const uint8_t* data, int32_t bytes) {
  SendQueue& queue = channel.queue();
  if (channel.state != ChannelState::kOpen || !state_.queues.frontIsFile(queue)) return;
  if (state_.queues.frontIsPiped(queue)) return;
  const FileRange& range = files_.range(state_.queues.frontFile(queue));
  const bool reading =
      channel.filtered == nullptr ? (channel.flags & kSending) != 0 : channel.filtered->readsFile;
  if (range.id != id || !reading) return;
  if (bytes <= 0) {
    fetched(channel, kNoBlock, bytes);
    return;
  }
  const uint64_t wanted = range.left < kBlockBytesMax ? range.left : kBlockBytesMax;
  const auto used = static_cast<uint64_t>(bytes) < wanted ? static_cast<uint32_t>(bytes)
                                                          : static_cast<uint32_t>(wanted);
  const BlockId block = state_.arena.lease(used);
  if (block == kNoBlock) {
    ends_.fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  std::memcpy(state_.arena.data(block), data, used);
  fetched(channel, block, static_cast<int32_t>(used));
}

void FileSender::resume() {
  for (const Token token : toResume_) {
    Channel* channel = state_.channels.find(token);
    if (channel == nullptr) continue;
    if (channel->filtered != nullptr) channel->filtered->fileBytes = 0;
    sender_.markDirty(*channel);
  }
  toResume_.clear();
}

}  // namespace ringpoll
