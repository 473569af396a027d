// Files of one loop: what can be answered at once, what the ring does, and what is being sent.
//
//   JavaScript --call--> now: page cache and other memory, without waiting -----> the answer
//        |                    | would wait
//        +----call-----> request --> FileEngine --> ready queue --> kFile event
//
// What neither serves (no ring, no such operation) is Node's own pool's: lib/fs decides that.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "core/memory/arena.h"
#include "core/rings/event_writer.h"
#include "core/system/file_calls.h"
#include "file_engine.h"
#include "file_table.h"
#include "stall_guard.h"

namespace ringpoll {

// The answer of a read or write that may not wait.
struct TryResult {
  uint64_t bytes = 0;
  int error = 0;       // errno; nothing was moved
  bool waits = false;  // the rest would have to wait
  bool never = false;  // as it always will on this file: do not ask again
};

// Who may read what is sent to a connection; lib/fs/send.ts has the same numbers.
enum class FileReader : uint8_t {
  kAny,   // the page cache, then the ring or Node's pool
  kRing,  // the ring alone, also what is in the page cache
  kPool,  // the page cache, then Node's pool
};

// A part of a file on its way to a connection.
struct FileRange {
  int fd = -1;
  uint32_t id = 0;  // JavaScript's number of the operation
  uint64_t offset = 0;
  uint64_t left = 0;
  bool fetches = false;  // its bytes are read first, page cache or not
  FileReader reader = FileReader::kAny;
};

class Files {
 public:
  Files(Arena& arena, EventWriter& events, FileCalls& calls)
      : arena_(arena), events_(events), calls_(calls), table_(calls) {}

  void setEngine(FileEngine* engine) { engine_ = engine; }
  bool offers(FileOp op) const { return engine_ != nullptr && engine_->offers(op); }
  FileTable& table() { return table_; }
  FileCalls& calls() { return calls_; }

  // Without waiting. A number of an open file, or -errno; -EAGAIN: it would have to wait.
  int64_t tryOpen(const char* path, int flags);
  int tryStat(const char* path, bool follow, double* fields);
  int tryStat(FileId id, double* fields);
  TryResult tryRead(OpenFile& file, uint8_t* memory, uint64_t bytes, int64_t offset);
  TryResult tryWrite(OpenFile& file, uint8_t* memory, uint64_t bytes, int64_t offset);
  // A whole file of at most `capacity` bytes. When it is larger, or not in memory, it is left open.
  struct Whole {
    int64_t bytes = 0;  // or -errno
    int64_t file = -1;  // number of the file that was left open
    int pipe = -1;      // descriptor of a FIFO, which only its own events can tell the end of
    uint64_t size = 0;
  };
  Whole readWhole(const char* path, uint8_t* memory, uint64_t capacity);

  // The calls that may not wait, and how long they took. -EAGAIN: it would have to wait, or such a
  // call did wait a moment ago.
  ssize_t readCached(int fd, const iovec& memory, int64_t offset);
  ssize_t writeCached(int fd, const iovec& memory, int64_t offset);
  bool resident(int fd, uint64_t offset, uint64_t bytes);

  // A request that is idle, to be filled and then submitted. nullptr: `id` is under way.
  FileRequest* request(uint32_t id);
  // Memory of the arena for the request. False: none is left.
  bool lease(FileRequest& request, uint32_t bytes);
  void submit(FileRequest& request);
  void cancel(uint32_t id);
  // Its completion has come. Whatever it opened has an owner before JavaScript hears of it.
  void completed(FileRequest& request, int32_t result);
  // A request of the loop's own, with memory of `bytes`: reads what a connection waits for, and
  // JavaScript does not hear of it. nullptr: no memory.
  FileRequest* fetch(uint32_t bytes);
  // The fetch is over; its block is the caller's.
  BlockId fetched(FileRequest& request);
  FileRequest& at(uint32_t id) {
    return id & kFetchBit ? fetches_[id & ~kFetchBit] : requests_[id];
  }
  // Requests that the ring holds, and ranges that are being sent.
  uint32_t underWay() const { return underWay_; }

  uint32_t addRange(const FileRange& range);
  FileRange& range(uint32_t index) { return ranges_[index]; }
  // The range is over: tells JavaScript, with -errno or 0.
  void endRange(uint32_t index, int32_t result);

  // Closes what is ours.
  void stop() { table_.closeAll(); }
  // The kernel has not let go, and nobody waits for it any longer: requests stay for ever.
  void abandon();

 private:
  static constexpr uint32_t kFetchBit = 1u << 31;

  void release(FileRequest& request);
  FileSystem systemOf(const OpenFile& file) { return calls_.fileSystem(file.fd); }
  // A FIFO may lie in such a file system too, and would be waited for.
  bool inMemory(const OpenFile& file) {
    return file.kind == FileKind::kRegular && systemOf(file) == FileSystem::kMemory;
  }

  Arena& arena_;
  EventWriter& events_;
  FileCalls& calls_;
  FileTable table_;
  FileEngine* engine_ = nullptr;
  StallGuard guard_;
  std::deque<FileRequest> requests_;  // never move
  std::deque<FileRequest> fetches_;
  std::vector<uint32_t> freeFetches_;
  uint32_t underWay_ = 0;
  std::vector<FileRange> ranges_;
  std::vector<uint32_t> freeRanges_;
};

}  // namespace ringpoll
