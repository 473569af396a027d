// Answers from memory, on a kernel that answers by script.
#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "check.h"
#include "core/base/limits.h"
#include "core/files/files.h"
#include "malloc_slabs.h"

namespace {

using namespace ringpoll;

// Hands out descriptors from 100 on, and answers transfers as told.
class ScriptedFiles final : public FileCalls {
 public:
  int openCached(const char*, int flags) override {
    openFlags.push_back(flags);
    return openResult != 0 ? openResult : nextFd++;
  }
  int about(int, FileAbout* out) override {
    *out = {kind, bytes};
    return 0;
  }
  int stat(int, double* fields) override {
    fields[0] = 7;
    return 0;
  }
  FileSystem fileSystem(int) override { return system; }
  void clearNonBlocking(int, int) override { ++cleared; }
  ssize_t readCached(int, const iovec& memory, int64_t offset) override {
    return next(memory, offset);
  }
  ssize_t writeCached(int, const iovec& memory, int64_t offset) override {
    return next(memory, offset);
  }
  ssize_t read(int, const iovec& memory, int64_t offset) override {
    ++plain;
    return next(memory, offset);
  }
  ssize_t write(int, const iovec& memory, int64_t offset) override {
    ++plain;
    return next(memory, offset);
  }
  int close(int fd) override {
    closed.push_back(fd);
    return 0;
  }

  ssize_t next(const iovec& memory, int64_t offset) {
    offsets.push_back(offset);
    // A disk whose queue is full: the call returns when the guard's clock has moved that far.
    for (const uint64_t from = StallGuard::nowMs(); StallGuard::nowMs() - from < slowMs;) {
    }
    if (answers.empty()) return -EIO;
    const ssize_t answer = answers.front();
    answers.pop_front();
    if (answer > static_cast<ssize_t>(memory.iov_len)) return -EFAULT;
    return answer;
  }

  FileKind kind = FileKind::kRegular;
  FileSystem system = FileSystem::kLocal;
  uint64_t bytes = 0;
  int openResult = 0;
  int nextFd = 100;
  int cleared = 0;
  int plain = 0;
  uint64_t slowMs = 0;
  std::deque<ssize_t> answers;
  std::vector<int64_t> offsets;
  std::vector<int> openFlags;
  std::vector<int> closed;
};

struct Bench {
  Bench() : control(kControlWords), events(kEventCapacity * kRecordWords) {}

  OpenFile& open(bool append = false) {
    file = table().add(50, false, append);
    return *table().find(static_cast<FileId>(file));
  }
  FileTable& table() { return files.table(); }

  ScriptedFiles calls;
  std::vector<int32_t> control;
  std::vector<int32_t> events;
  test::MallocSlabs slabs;
  Arena arena{slabs, true};
  EventWriter writer{SharedRings{control.data(), events.data(), nullptr}};
  Files files{arena, writer, calls};
  int64_t file = -1;
  uint8_t memory[4096] = {};
};

TEST(file_table_finds_nothing_under_the_name_of_a_closed_file) {
  Bench bench;
  const auto first = static_cast<FileId>(bench.table().add(10, false, false));
  CHECK_EQ(bench.table().find(first)->fd, 10);
  CHECK_EQ(bench.table().forget(first), 10);
  CHECK(bench.table().find(first) == nullptr);
  CHECK_EQ(bench.table().forget(first), -1);
  const auto second = static_cast<FileId>(bench.table().add(11, false, false));
  CHECK(first != second);
  CHECK(bench.table().find(first) == nullptr);
  CHECK_EQ(bench.table().find(second)->fd, 11);
}

TEST(file_table_names_stay_positive_through_all_generations) {
  Bench bench;
  for (int i = 0; i < 5000; ++i) {
    const int64_t id = bench.table().add(10, false, false);
    CHECK(id >= 0 && id <= INT32_MAX);
    CHECK_EQ(bench.table().forget(static_cast<FileId>(id)), 10);
  }
  CHECK_EQ(bench.table().open(), 0u);
}

TEST(file_table_closes_what_is_its_own_and_nothing_else) {
  Bench bench;
  bench.table().add(10, true, false);
  bench.table().add(11, false, false);
  bench.table().closeAll();
  CHECK_EQ(bench.calls.closed.size(), 1u);
  CHECK_EQ(bench.calls.closed[0], 10);
  CHECK_EQ(bench.table().open(), 0u);
}

TEST(read_now_goes_on_after_a_short_read_to_learn_why_it_was_short) {
  Bench bench;
  OpenFile& file = bench.open();
  bench.calls.answers = {1000, 0};
  TryResult end = bench.files.tryRead(file, bench.memory, 4096, 5);
  CHECK(end.bytes == 1000 && !end.waits && end.error == 0);
  CHECK_EQ(bench.calls.offsets[1], 1005);

  bench.calls.answers = {1000, -EAGAIN};
  TryResult cold = bench.files.tryRead(file, bench.memory, 4096, -1);
  CHECK(cold.bytes == 1000 && cold.waits && !cold.never);
  CHECK_EQ(bench.calls.offsets[3], -1);
}

TEST(read_now_of_a_pipe_takes_what_is_there) {
  Bench bench;
  bench.calls.kind = FileKind::kPipe;
  OpenFile& file = bench.open();
  bench.calls.answers = {10};
  const TryResult some = bench.files.tryRead(file, bench.memory, 4096, -1);
  CHECK(some.bytes == 10 && !some.waits);
}

TEST(read_now_tells_an_error_unless_bytes_came_before_it) {
  Bench bench;
  OpenFile& file = bench.open();
  bench.calls.answers = {-EINTR, -EIO};
  CHECK_EQ(bench.files.tryRead(file, bench.memory, 4096, 0).error, EIO);
  bench.calls.answers = {100, -EIO};
  const TryResult some = bench.files.tryRead(file, bench.memory, 4096, 0);
  CHECK(some.bytes == 100 && some.error == 0 && !some.waits);
}

TEST(read_now_learns_once_that_a_file_system_has_no_such_form) {
  Bench bench;
  OpenFile& file = bench.open();
  bench.calls.answers = {-EOPNOTSUPP};
  CHECK(bench.files.tryRead(file, bench.memory, 4096, 0).never);
  CHECK(bench.files.tryRead(file, bench.memory, 4096, 0).never);
  CHECK_EQ(bench.calls.offsets.size(), 1u);
}

TEST(read_now_reads_plainly_where_there_is_no_disk) {
  Bench bench;
  bench.calls.system = FileSystem::kMemory;
  OpenFile& file = bench.open();
  bench.calls.answers = {-EOPNOTSUPP, 4096};
  const TryResult read = bench.files.tryRead(file, bench.memory, 4096, 0);
  CHECK(read.bytes == 4096 && !read.waits);
  CHECK_EQ(bench.calls.plain, 1);
}

TEST(read_now_never_reads_a_fifo_plainly_not_even_in_memory) {
  Bench bench;
  bench.calls.system = FileSystem::kMemory;
  bench.calls.kind = FileKind::kPipe;
  OpenFile& file = bench.open();
  bench.calls.answers = {-EOPNOTSUPP, 4096};
  CHECK(bench.files.tryRead(file, bench.memory, 4096, -1).never);
  CHECK_EQ(bench.calls.plain, 0);
}

TEST(read_now_takes_no_more_than_its_share_in_one_call) {
  Bench bench;
  OpenFile& file = bench.open();
  std::vector<uint8_t> memory(2 * kFileNowBytesMax);
  bench.calls.answers = {static_cast<ssize_t>(kFileNowBytesMax)};
  const TryResult read = bench.files.tryRead(file, memory.data(), memory.size(), 0);
  CHECK(read.bytes == kFileNowBytesMax && read.waits && !read.never);
}

TEST(write_now_leaves_appends_to_calls_that_do_not_stop_half_way) {
  Bench bench;
  CHECK(bench.files.tryWrite(bench.open(true), bench.memory, 100, -1).never);
  CHECK(bench.calls.offsets.empty());
  bench.calls.system = FileSystem::kMemory;
  bench.calls.answers = {100};
  CHECK_EQ(bench.files.tryWrite(bench.open(true), bench.memory, 100, -1).bytes, 100u);
  CHECK_EQ(bench.calls.plain, 1);
}

TEST(write_now_tells_what_the_rest_must_wait_for) {
  Bench bench;
  OpenFile& file = bench.open();
  bench.calls.answers = {40, -EAGAIN, -ENOSPC, -EOPNOTSUPP};
  const TryResult some = bench.files.tryWrite(file, bench.memory, 100, 0);
  CHECK(some.bytes == 40 && some.waits);
  const TryResult none = bench.files.tryWrite(file, bench.memory, 100, 0);
  CHECK(none.bytes == 0 && none.waits && !none.never);
  CHECK_EQ(bench.files.tryWrite(file, bench.memory, 100, 0).error, ENOSPC);
  CHECK(bench.files.tryWrite(file, bench.memory, 100, 0).never);
}

TEST(open_now_answers_final_errors_and_leaves_the_others_to_those_who_may_wait) {
  Bench bench;
  bench.calls.openResult = -ENOENT;
  CHECK_EQ(bench.files.tryOpen("x", O_RDONLY), -ENOENT);
  bench.calls.openResult = -EPERM;
  CHECK_EQ(bench.files.tryOpen("x", O_RDONLY), -EAGAIN);
  CHECK_EQ(bench.files.tryOpen("x", O_WRONLY | O_CREAT), -EAGAIN);
  CHECK_EQ(bench.files.tryOpen("x", O_WRONLY | O_TRUNC), -EAGAIN);
  CHECK_EQ(bench.calls.openFlags.size(), 2u);
}

TEST(open_now_never_opens_a_fifo) {
  Bench bench;
  bench.calls.kind = FileKind::kPipe;
  CHECK_EQ(bench.files.tryOpen("x", O_RDONLY), -EAGAIN);
  CHECK_EQ(bench.calls.openFlags.size(), 1u);
  CHECK_EQ(bench.calls.closed.size(), 1u);
}

TEST(stat_now_asks_no_server) {
  Bench bench;
  double fields[kStatFields] = {};
  bench.calls.system = FileSystem::kOther;
  CHECK_EQ(bench.files.tryStat("x", true, fields), -EAGAIN);
  bench.calls.system = FileSystem::kLocal;
  CHECK_EQ(bench.files.tryStat("x", true, fields), 0);
  CHECK_EQ(fields[0], 7.0);
  CHECK_EQ(bench.calls.closed.size(), 2u);
}

TEST(read_whole_reads_and_closes_or_leaves_the_file_open) {
  Bench bench;
  bench.calls.bytes = 100;
  bench.calls.answers = {100};
  Files::Whole whole = bench.files.readWhole("x", bench.memory, 4096);
  CHECK_EQ(whole.bytes, 100);
  CHECK_EQ(bench.calls.closed.size(), 1u);

  bench.calls.answers = {60, -EAGAIN};
  whole = bench.files.readWhole("x", bench.memory, 4096);
  CHECK(whole.bytes == -EAGAIN && whole.size == 100 && whole.file >= 0);
  CHECK_EQ(bench.calls.closed.size(), 1u);
  CHECK_EQ(bench.calls.cleared, 1);

  bench.calls.bytes = 5000;
  whole = bench.files.readWhole("x", bench.memory, 4096);
  CHECK(whole.bytes == -EAGAIN && whole.size == 5000 && whole.file >= 0);
}

TEST(read_whole_keeps_a_fifo_open_for_its_writer) {
  Bench bench;
  bench.calls.kind = FileKind::kPipe;
  const Files::Whole whole = bench.files.readWhole("x", bench.memory, 4096);
  CHECK(whole.bytes == -EAGAIN && whole.pipe == 100 && whole.file == -1);
  CHECK(bench.calls.closed.empty());
}

TEST(stall_guard_closes_after_a_call_that_waited_and_opens_again) {
  StallGuard guard;
  CHECK(guard.open(1000));
  CHECK(!guard.took(1000, 1000));
  CHECK(guard.open(1000));
  CHECK(guard.took(1000, 1035));
  CHECK(!guard.open(1035));
  CHECK(!guard.open(1035 + kFileStallPauseMs - 1));
  CHECK(guard.open(1035 + kFileStallPauseMs));
}

TEST(files_ask_the_page_cache_no_more_for_a_while_when_it_made_the_loop_wait) {
  Bench bench;
  OpenFile& file = bench.open();
  bench.calls.slowMs = 40;
  bench.calls.answers = {100};
  // The bytes that came late are good.
  CHECK_EQ(bench.files.tryRead(file, bench.memory, 100, 0).bytes, 100u);
  bench.calls.slowMs = 0;
  bench.calls.answers = {100, 100, 100};
  const TryResult read = bench.files.tryRead(file, bench.memory, 100, 0);
  CHECK_EQ(read.bytes, 0u);
  CHECK(read.waits);
  CHECK(!read.never);
  CHECK(bench.files.tryWrite(file, bench.memory, 100, 0).waits);
  CHECK(!bench.files.resident(file.fd, 0, 100));
  CHECK_EQ(bench.calls.offsets.size(), 1u);
  // Files in memory wait for no disk.
  bench.calls.system = FileSystem::kMemory;
  OpenFile& memory = bench.open();
  memory.reading = NowaitSupport::kPlain;
  CHECK_EQ(bench.files.tryRead(memory, bench.memory, 100, 0).bytes, 100u);
}

}  // namespace
