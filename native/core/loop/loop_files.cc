// Files on their way to a connection. A range of a file stands in the connection's queue like other
// bytes, so what was written before it leaves before it, and what comes after leaves after it.
//
//              in the page cache: sendfile(2), until the socket is full
//   at the front --------------------------------------------------------> over: kFile event
//        |  ^
//        |  +--- the bytes, in front of the rest of the range
//        +-----> not in the page cache, or not for sendfile: read by the ring, or by Node's pool
//
// A hint of the caller leaves out the page cache, or the ring (FileReader).
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "loop.h"

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

// The connection is over, or takes no more bytes.
void Loop::refuseFile(const int32_t* words) {
  const FileRange range = parse(words).range;
  const auto slot = static_cast<uint32_t>(words[1]);
  if (slot < pendingSlots_) pending_[slot] -= static_cast<double>(range.left);
  events_.pushFile(EventKind::kFile, range.id, -ECANCELED, 0, 0, kNoBlock);
}

void Loop::queueFile(Channel& channel, const int32_t* words) {
  FileCommand command = parse(words);
  OpenFile* file = files_.table().find(command.file);
  if (file == nullptr || (channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent))) {
    refuseFile(words);
    return;
  }
  FileRange& range = command.range;
  if (range.reader == FileReader::kRing && !files_.offers(FileOp::kRead)) {
    range.reader = FileReader::kAny;
  }
  range.fetches = range.reader == FileReader::kRing;
  if (!range.fetches && copyFile(channel, *file, range)) return;
  range.fd = file->fd;
  queues_.pushFile(channel.sends, files_.addRange(range));
  markDirty(channel);
}

// Few bytes leave in one call with what is written before and after them.
bool Loop::copyFile(Channel& channel, OpenFile& file, const FileRange& range) {
  if (range.left > kFileCopyBytesMax || range.left == 0) return false;
  const auto bytes = static_cast<uint32_t>(range.left);
  const BlockId block = arena_.lease(bytes);
  if (block == kNoBlock) return false;
  const NowResult read =
      files_.readNow(file, arena_.data(block), bytes, static_cast<int64_t>(range.offset));
  if (read.waits || read.error != 0 || read.bytes < bytes) {
    arena_.release(block);
    return false;
  }
  queues_.push(channel.sends, block, 0, bytes, true);
  events_.pushFile(EventKind::kFile, range.id, 0, 0, 0, kNoBlock);
  markDirty(channel);
  return true;
}

// Sends from the range at the front. True: it is over. False: it goes on later, or never.
bool Loop::sendFile(Channel& channel) {
  FileRange& range = files_.range(queues_.frontFile(channel.sends));
  uint64_t share = kFileSendBytesMax;
  while (range.left > 0) {
    if (share == 0) {
      filesToResume_.push_back(channel.token());
      moreReady_ = true;
      return false;
    }
    const uint64_t piece = range.left < share ? range.left : share;
    if (range.fetches || !fileCalls_.resident(range.fd, range.offset, piece)) {
      fetchFile(channel, range);
      return false;
    }
    ++metrics_.fileSends;
    const ssize_t n = fileCalls_.sendFile(channel.fd, range.fd, range.offset, piece);
    if (n > 0) {
      const auto bytes = static_cast<uint64_t>(n);
      range.offset += bytes;
      range.left -= bytes;
      share -= bytes;
      countSent(channel, bytes);
      continue;
    }
    if (n == 0) {
      endFile(channel, -ENODATA);  // the file is shorter than it was
      return true;
    }
    if (n == -EINTR) continue;
    if (kernelLacksMemory(n)) {
      sendWithoutMemory(channel);
    } else if (socketIsFull(n)) {
      ++metrics_.sendsPartial;
      handOver(channel);
    } else if (cannotSend(n)) {
      range.fetches = true;
      continue;
    } else {
      fail(channel, static_cast<int>(-n), Syscall::kWrite);
    }
    return false;
  }
  endFile(channel, 0);
  return true;
}

// Takes the range at the front out of the queue.
void Loop::endFile(Channel& channel, int32_t result) {
  const uint32_t index = queues_.frontFile(channel.sends);
  pending_[channel.slot] -= static_cast<double>(files_.range(index).left);
  queues_.popFile(channel.sends);
  files_.endRange(index, result);
}

void Loop::fetchFile(Channel& channel, const FileRange& range) {
  const auto bytes = static_cast<uint32_t>(range.left < kBlockBytesMax ? range.left
                                                                       : kBlockBytesMax);
  ++metrics_.fileFetches;
  channel.flags |= kSending;
  if (range.reader == FileReader::kPool || !files_.offers(FileOp::kRead)) {
    events_.pushFile(EventKind::kFileFetch, range.id, static_cast<int32_t>(bytes),
                     static_cast<uint32_t>(range.offset), static_cast<uint32_t>(range.offset >> 32),
                     0);
    return;
  }
  FileRequest* request = files_.fetch(bytes);
  if (request == nullptr) {
    fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  request->fd = range.fd;
  request->offset = static_cast<int64_t>(range.offset);
  request->connection = channel.token();
  files_.submit(*request);
}

void Loop::onFile(const Completion& completion) {
  FileRequest& request = files_.at(slotOf(completion.token));
  if (request.connection == 0) {
    files_.completed(request, completion.result);
    return;
  }
  const Token token = request.connection;
  const BlockId block = files_.fetched(request);
  Channel* channel = channels_.find(token);
  if (channel == nullptr || channel->state != ChannelState::kOpen) {
    arena_.release(block);
    return;
  }
  fetched(*channel, block, completion.result);
}

void Loop::fetched(Channel& channel, BlockId block, int32_t result) {
  RP_ASSERT(queues_.frontIsFile(channel.sends));
  channel.flags &= ~kSending;
  FileRange& range = files_.range(queues_.frontFile(channel.sends));
  if (result > 0) {
    const auto bytes = static_cast<uint32_t>(result);
    range.offset += bytes;
    range.left -= bytes;
    queues_.pushFront(channel.sends, block, 0, bytes, true);
  } else {
    if (block != kNoBlock) arena_.release(block);
    endFile(channel, result == 0 ? -ENODATA : result);
  }
  migrateIfDue(channel);
  flushConnection(channel);
}

void Loop::fetched(Channel& channel, uint32_t id, const uint8_t* data, int32_t bytes) {
  if (channel.state != ChannelState::kOpen || !queues_.frontIsFile(channel.sends)) return;
  const FileRange& range = files_.range(queues_.frontFile(channel.sends));
  if (range.id != id || !(channel.flags & kSending)) return;
  if (bytes <= 0) {
    fetched(channel, kNoBlock, bytes);
    return;
  }
  const uint64_t wanted = range.left < kBlockBytesMax ? range.left : kBlockBytesMax;
  const auto used = static_cast<uint64_t>(bytes) < wanted ? static_cast<uint32_t>(bytes)
                                                          : static_cast<uint32_t>(wanted);
  const BlockId block = arena_.lease(used);
  if (block == kNoBlock) {
    fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  std::memcpy(arena_.data(block), data, used);
  fetched(channel, block, static_cast<int32_t>(used));
}

}  // namespace ringpoll
