// Files on real engines: what the ring does, and what is sent to connections.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "real_fixture.h"

namespace {

using namespace test;

class Folder {
 public:
  Folder() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/ringpoll-core-XXXXXX";
    made_ = ::mkdtemp(path_.data()) != nullptr;
  }
  ~Folder() {
    for (const std::string& name : names_) ::unlink(name.c_str());
    if (made_) ::rmdir(path_.c_str());
  }
  std::string at(const std::string& name) {
    names_.push_back(path_ + "/" + name);
    return names_.back();
  }
  std::string file(const std::string& name, const std::string& bytes) {
    const std::string path = at(name);
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
    for (size_t done = 0; fd >= 0 && done < bytes.size();) {
      const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    ::close(fd);
    return path;
  }

 private:
  std::string path_;
  bool made_ = false;
  std::vector<std::string> names_;
};

struct FileEvents {
  explicit FileEvents(Real& real) : js(*real.js) {
    js.handler = [this](const Event& event) {
      if (event.kind == EventKind::kOpen) connection = event.name;
      if (event.kind == EventKind::kFile) answers.push_back(event);
      if (event.kind == EventKind::kFileFetch) fetches.push_back(event);
      if (event.kind == EventKind::kClose) closed = true;
    };
  }
  // Runs one request to its end.
  int32_t run(FileRequest* request) {
    const size_t before = answers.size();
    js.loop.files().submit(*request);
    if (!js.until([&] { return answers.size() > before; })) return -ETIMEDOUT;
    return answers.back().result;
  }
  FileRequest* request(FileOp op, uint32_t id = 0) {
    FileRequest* request = js.loop.files().request(id);
    request->op = op;
    request->fd = -1;
    request->flags = 0;
    request->offset = -1;
    request->length = 0;
    return request;
  }
  int32_t open(const std::string& path, int flags) {
    FileRequest* opening = request(FileOp::kOpen);
    opening->path = path;
    opening->flags = static_cast<uint32_t>(flags);
    opening->mode = 0600;
    return run(opening);
  }
  int fdOf(int32_t file) { return js.loop.files().table().find(static_cast<FileId>(file))->fd; }
  // What a file event names.
  const uint8_t* memory(const Event& event) {
    return js.host.slabs.slab(event.length) + event.offset;
  }

  LoopFixture& js;
  Name connection;
  bool closed = false;
  std::vector<Event> answers;
  std::vector<Event> fetches;
};

#define NEEDS_RING(real)                                                          \
  do {                                                                            \
    START_OR_SKIP(real);                                                          \
    if (!(real).js->loop.files().offers(FileOp::kRead)) SKIP("there is no ring"); \
  } while (false)

TEST(ring_writes_reads_and_tells_about_a_file) {
  Folder folder;
  Real real(RealEngine::kRingReadiness);
  NEEDS_RING(real);
  FileEvents events(real);
  Files& files = real.js->loop.files();
  const int32_t file = events.open(folder.at("made"), O_CREAT | O_RDWR);
  CHECK(file >= 0);

  FileRequest* writing = events.request(FileOp::kWrite);
  writing->fd = events.fdOf(file);
  CHECK(files.lease(*writing, 5));
  std::memcpy(writing->memory, "hello", 5);
  writing->length = 5;
  CHECK_EQ(events.run(writing), 5);

  FileRequest* reading = events.request(FileOp::kRead);
  reading->fd = events.fdOf(file);
  CHECK(files.lease(*reading, 100));
  reading->length = 100;
  reading->offset = 1;
  CHECK_EQ(events.run(reading), 4);
  CHECK(std::memcmp(events.memory(events.answers.back()), "ello", 4) == 0);
  real.js->release(events.answers.back());

  FileRequest* stating = events.request(FileOp::kStat);
  CHECK(files.lease(*stating, kBlockBytesMin));
  stating->path.clear();
  stating->fd = events.fdOf(file);
  stating->flags = AT_EMPTY_PATH;
  CHECK_EQ(events.run(stating), 0);
  double fields[kStatFields];
  std::memcpy(fields, events.memory(events.answers.back()), sizeof fields);
  CHECK_EQ(fields[8], 5.0);
  real.js->release(events.answers.back());

  FileRequest* closing = events.request(FileOp::kClose);
  closing->fd = files.table().forget(static_cast<FileId>(file));
  CHECK_EQ(events.run(closing), 0);
  CHECK_EQ(files.underWay(), 0u);
  real.js->turn();
  CHECK(real.js->loop.arenaStats().outstanding <= 2);
}

TEST(ring_tells_errors_of_names) {
  Folder folder;
  Real real(RealEngine::kRingReadiness);
  NEEDS_RING(real);
  FileEvents events(real);
  CHECK_EQ(events.open(folder.at("none"), O_RDONLY), -ENOENT);
  FileRequest* unlinking = events.request(FileOp::kUnlink);
  unlinking->path = folder.at("none");
  CHECK_EQ(events.run(unlinking), -ENOENT);
  FileRequest* renaming = events.request(FileOp::kRename);
  renaming->path = folder.file("from", "x");
  renaming->target = folder.at("to");
  CHECK_EQ(events.run(renaming), 0);
  CHECK_EQ(::access(folder.at("to").c_str(), F_OK), 0);
}

TEST(ring_cancels_a_read_that_waits) {
  Real real(RealEngine::kRingReadiness);
  NEEDS_RING(real);
  FileEvents events(real);
  int pipe[2];
  CHECK_EQ(::pipe(pipe), 0);
  FileRequest* reading = events.request(FileOp::kRead, 3);
  reading->fd = pipe[0];
  CHECK(real.js->loop.files().lease(*reading, 10));
  reading->length = 10;
  real.js->loop.files().submit(*reading);
  CHECK(real.js->loop.files().request(3) == nullptr);
  real.js->turn();
  CHECK(events.answers.empty());
  real.js->loop.files().cancel(3);
  CHECK(real.until([&] { return !events.answers.empty(); }));
  CHECK_EQ(events.answers[0].result, -ECANCELED);
  CHECK_EQ(events.answers[0].name.slot, 3u);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(stop_waits_until_the_kernel_has_let_go_of_reads) {
  Real real(RealEngine::kRingReadiness);
  NEEDS_RING(real);
  FileEvents events(real);
  int pipe[2];
  CHECK_EQ(::pipe(pipe), 0);
  for (uint32_t id = 0; id < 8; ++id) {
    FileRequest* reading = events.request(FileOp::kRead, id);
    reading->fd = pipe[0];
    CHECK(real.js->loop.files().lease(*reading, 1000));
    reading->length = 1000;
    real.js->loop.files().submit(*reading);
  }
  real.js->turn();
  CHECK(real.js->loop.stop());
  // Nobody reads any more: the bytes stay in the pipe.
  CHECK_EQ(::write(pipe[1], "x", 1), 1);
  char byte = 0;
  CHECK_EQ(::read(pipe[0], &byte, 1), 1);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// A file that a connection gets, and what is written around it.
struct Sending {
  explicit Sending(Real& real) : events(real), js(*real.js) {
    real.listen();
    peer.connect(real.port);
    accepted = real.until([&] { return js.loop.live() == 2; });
  }
  void send(int64_t file, uint64_t offset, uint64_t bytes, uint32_t id = 0) {
    js.host.pending[events.connection.slot] += static_cast<double>(bytes);
    js.command(CommandKind::kSendFile, events.connection, static_cast<uint32_t>(file), id,
               static_cast<uint32_t>(offset), static_cast<uint32_t>(bytes),
               static_cast<uint32_t>(offset >> 32 << 16 | bytes >> 32));
  }
  // Reads until so much has come; answers what libuv's pool would, when it is asked to.
  std::string receive(size_t bytes, int fd) {
    std::string all;
    js.until([&] {
      for (; fetched < events.fetches.size(); ++fetched) {
        const Event& event = events.fetches[fetched];
        std::string piece(static_cast<size_t>(event.result), 0);
        const auto at = static_cast<off_t>(event.length) << 32 | event.offset;
        const ssize_t n = ::pread(fd, piece.data(), piece.size(), at);
        js.loop.fetched(*js.channel(events.connection), event.name.slot,
                        reinterpret_cast<const uint8_t*>(piece.data()), static_cast<int32_t>(n));
      }
      all += peer.read(200'000);
      return all.size() >= bytes || peer.error != 0;
    });
    return all;
  }

  FileEvents events;
  LoopFixture& js;
  Peer peer;
  bool accepted = false;
  size_t fetched = 0;
};

EACH_ENGINE(file_leaves_between_what_is_written_before_and_after) {
  Folder folder;
  for (size_t size : {1u, 4'000u, 20'000u, 300'000u, 5'000'000u}) {
    for (bool cold : {false, true}) {
      Real real(engine);
      START_OR_SKIP(real);
      Sending sending(real);
      CHECK(sending.accepted);
      const std::string bytes = patternOf(size, 3);
      const std::string name = std::to_string(size) + (cold ? "cold" : "warm");
      const std::string path = folder.file(name, bytes);
      const int fd = ::open(path.c_str(), O_RDONLY);
      if (cold) {
        ::fdatasync(fd);
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
      }
      const int64_t file = real.js->loop.files().table().add(fd, true, false);
      real.js->write(sending.events.connection, "before");
      sending.send(file, 0, size, 1);
      real.js->write(sending.events.connection, "between");
      sending.send(file, size / 2, size - size / 2, 2);
      real.js->write(sending.events.connection, "after");
      const std::string expected = "before" + bytes + "between" + bytes.substr(size / 2) + "after";
      CHECK(sending.receive(expected.size(), fd) == expected);
      CHECK(real.until([&] { return sending.events.answers.size() == 2; }));
      CHECK_EQ(sending.events.answers[0].result, 0);
      CHECK_EQ(sending.events.answers[1].result, 0);
      CHECK_EQ(real.js->host.pending[sending.events.connection.slot], 0.0);
      CHECK_EQ(real.js->loop.files().underWay(), 0u);
    }
  }
}

EACH_ENGINE(file_that_is_shorter_than_promised_is_told_and_the_rest_goes_on) {
  Folder folder;
  Real real(engine);
  START_OR_SKIP(real);
  Sending sending(real);
  const int fd = ::open(folder.file("short", patternOf(100'000, 1)).c_str(), O_RDONLY);
  const int64_t file = real.js->loop.files().table().add(fd, true, false);
  sending.send(file, 0, 150'000);
  real.js->write(sending.events.connection, "after");
  CHECK_EQ(sending.receive(100'005, fd).substr(100'000), std::string("after"));
  CHECK(real.until([&] { return !sending.events.answers.empty(); }));
  CHECK_EQ(sending.events.answers[0].result, -ENODATA);
  CHECK_EQ(real.js->host.pending[sending.events.connection.slot], 0.0);
}

EACH_ENGINE(file_on_its_way_ends_with_its_connection) {
  Folder folder;
  const std::string path = folder.file("large", patternOf(8'000'000, 1));
  for (bool cold : {false, true}) {
    Real real(engine);
    START_OR_SKIP(real);
    Sending sending(real);
    const int fd = ::open(path.c_str(), O_RDONLY);
    ::fdatasync(fd);
    if (cold) ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    const int64_t file = real.js->loop.files().table().add(fd, true, false);
    for (uint32_t id = 0; id < 3; ++id) sending.send(file, 0, 8'000'000, id);
    real.js->turn();
    real.js->command(CommandKind::kDestroy, sending.events.connection);
    CHECK(real.until([&] { return sending.events.closed; }));
    CHECK(real.until([&] { return sending.events.answers.size() == 3; }));
    for (const Event& answer : sending.events.answers) CHECK_EQ(answer.result, -ECANCELED);
    CHECK(real.until([&] { return real.js->loop.files().underWay() == 0; }));
    // A connection that is over refuses at once.
    sending.send(file, 0, 10, 7);
    CHECK(real.until([&] { return sending.events.answers.size() == 4; }));
    CHECK_EQ(sending.events.answers[3].result, -ECANCELED);
  }
}

EACH_ENGINE(stop_in_the_midst_of_sending_a_file) {
  Folder folder;
  const std::string path = folder.file("large", patternOf(8'000'000, 1));
  Real real(engine);
  START_OR_SKIP(real);
  Sending sending(real);
  const int fd = ::open(path.c_str(), O_RDONLY);
  ::fdatasync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  const int64_t file = real.js->loop.files().table().add(fd, true, false);
  sending.send(file, 0, 8'000'000);
  real.js->turn();
  CHECK(real.js->loop.stop());
}

}  // namespace
