// The addon's functions on files. Those whose name ends in Now answer at once or say that it would
// have to wait; the others submit a request under JavaScript's number and are answered by a kFile
// event. Arguments were checked in TypeScript.
#include <fcntl.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "addon.h"
#include "file_work.h"
#include "flush_threads.h"

namespace ringpoll {

namespace {

// Answers of calls that may not wait, beside counts and -errno: so many bytes were moved and the
// rest would have to wait; or nothing was, nor ever will be. lib/fs/native.ts has the same numbers.
constexpr double kWaits = -(1 << 20);
constexpr double kNever = -(1 << 22);
static_assert(kWaits - kFileNowBytesMax > kNever);

// A path as the kernel wants it, without memory of its own.
class Path {
 public:
  Path(const Napi::CallbackInfo& info, size_t i) {
    size_t length = 0;
    napi_get_value_string_utf8(info.Env(), info[i], text_, sizeof text_, &length);
    fits_ = length < PATH_MAX;
  }
  bool fits() const { return fits_; }
  const char* get() const { return text_; }

 private:
  char text_[PATH_MAX + 1];
  bool fits_;
};

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;

  Bytes(const Napi::CallbackInfo& info, size_t i) {
    void* start = nullptr;
    napi_get_typedarray_info(info.Env(), info[i], nullptr, &length, &start, nullptr, nullptr);
    data = static_cast<uint8_t*>(start);
  }
  // True when [offset, offset + bytes) lies inside.
  bool holds(uint64_t offset, uint64_t bytes) const {
    return offset <= length && bytes <= length - offset;
  }
};

Napi::Value answer(const Napi::CallbackInfo& info, double value) {
  return Napi::Number::New(info.Env(), value);
}

double encode(const TryResult& result) {
  if (result.error != 0) return -result.error;
  const auto bytes = static_cast<double>(result.bytes);
  if (result.never && result.bytes == 0) return kNever;
  return result.waits ? kWaits - bytes : bytes;
}

double* fieldsOf(const Napi::CallbackInfo& info, size_t i) {
  return info[i].As<Napi::Float64Array>().Data();
}

// fileCapabilities() -> for each FileOp whether the ring has it; empty: there is no ring
Napi::Value Capabilities(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Napi::Array operations = Napi::Array::New(info.Env());
  for (uint32_t op = 0; op < kFileOps; ++op) {
    operations.Set(op, guest->loop().files().offers(static_cast<FileOp>(op)));
  }
  return operations;
}

// fileOpenNow(path, flags) -> file or -errno
Napi::Value OpenNow(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Path path(info, 0);
  if (!path.fits()) return answer(info, -ENAMETOOLONG);
  const int64_t file = guest->loop().files().tryOpen(path.get(), signedWord(info, 1));
  return answer(info, static_cast<double>(file));
}

// fileStatNow(path | file, follow, into) -> 0 or -errno
Napi::Value StatNow(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Files& files = guest->loop().files();
  if (info[0].IsNumber()) return answer(info, files.tryStat(word(info, 0), fieldsOf(info, 2)));
  const Path path(info, 0);
  if (!path.fits()) return answer(info, -ENAMETOOLONG);
  return answer(info, files.tryStat(path.get(), flag(info, 1), fieldsOf(info, 2)));
}

// fileReadNow(file, bytes, offset, length, position) and fileWriteNow(the same)
template <TryResult (Files::*move)(OpenFile&, uint8_t*, uint64_t, int64_t)>
Napi::Value MoveNow(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Files& files = guest->loop().files();
  OpenFile* file = files.table().find(word(info, 0));
  if (file == nullptr) return answer(info, -EBADF);
  const Bytes bytes(info, 1);
  const auto offset = static_cast<uint64_t>(number(info, 2));
  const auto length = static_cast<uint64_t>(number(info, 3));
  if (!bytes.holds(offset, length)) return answer(info, -EFAULT);
  const auto position = static_cast<int64_t>(number(info, 4));
  return answer(info, encode((files.*move)(*file, bytes.data + offset, length, position)));
}

// fileReadWhole(path, into, details: Float64Array) -> bytes, or -errno. After -EAGAIN, details: the
// file that was left open or -1, its size, a FIFO's descriptor or -1.
Napi::Value ReadWhole(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Path path(info, 0);
  if (!path.fits()) return answer(info, -ENAMETOOLONG);
  const Bytes into(info, 1);
  const Files::Whole whole = guest->loop().files().readWhole(path.get(), into.data, into.length);
  if (whole.bytes == -EAGAIN) {
    double* details = fieldsOf(info, 2);
    details[0] = static_cast<double>(whole.file);
    details[1] = static_cast<double>(whole.size);
    details[2] = whole.pipe;
  }
  return answer(info, static_cast<double>(whole.bytes));
}

// fileAdopt(descriptor, append) -> file: one that Node has opened, and will close
Napi::Value Adopt(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  FileTable& table = guest->loop().files().table();
  return answer(info, static_cast<double>(table.add(signedWord(info, 0), false, flag(info, 1))));
}

// fileAbout(file) -> descriptor and kind (4 * descriptor + FileKind), or -1
Napi::Value About(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const OpenFile* file = guest->loop().files().table().find(word(info, 0));
  if (file == nullptr) return answer(info, -1);
  return answer(info, 4.0 * file->fd + static_cast<int>(file->kind));
}

// fileForget(file) -> descriptor or -1, which is the caller's from now on
Napi::Value Forget(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  return answer(info, guest->loop().files().table().forget(word(info, 0)));
}

// fileCloseNow(file) -> 0 or -errno
Napi::Value CloseNow(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Files& files = guest->loop().files();
  const int fd = files.table().forget(word(info, 0));
  return answer(info, fd < 0 ? -EBADF : files.calls().close(fd));
}

// A request under the number that JavaScript gave in argument 0, on the open file of argument 1
// when `onFile`. Submits unless it was refused; its answer is 0 or -errno.
class Submission {
 public:
  Submission(const Napi::CallbackInfo& info, FileOp op, bool onFile)
      : info_(info), guest_(guestOf(info)) {
    if (guest_ == nullptr) return;
    Files& files = guest_->loop().files();
    request_ = files.request(word(info, 0));
    if (request_ == nullptr || !files.offers(op)) {
      error_ = request_ == nullptr ? -EBUSY : -EOPNOTSUPP;
      return;
    }
    request_->op = op;
    request_->fd = -1;
    request_->flags = 0;
    request_->offset = -1;
    request_->length = 0;
    request_->path.clear();
    if (!onFile) return;
    const OpenFile* file = files.table().find(word(info, 1));
    if (file == nullptr) {
      error_ = -EBADF;
    } else {
      request_->fd = file->fd;
    }
  }

  FileRequest* operator->() { return request_; }
  FileRequest& request() { return *request_; }
  bool ok() const { return guest_ != nullptr && error_ == 0; }
  void path(std::string* into, size_t i) { *into = info_[i].As<Napi::String>().Utf8Value(); }
  void refuse(int error) { error_ = error; }
  bool lease(uint32_t bytes) {
    if (!guest_->loop().files().lease(*request_, bytes)) error_ = -ENOMEM;
    return ok();
  }

  Napi::Value submit() {
    if (guest_ == nullptr) return info_.Env().Undefined();
    if (error_ == 0) {
      guest_->loop().files().submit(*request_);
      guest_->wake();
    }
    return Napi::Number::New(info_.Env(), error_);
  }

 private:
  const Napi::CallbackInfo& info_;
  GuestLoop* guest_;
  FileRequest* request_ = nullptr;
  int error_ = 0;
};

// fileOpen(id, path, flags, mode)
Napi::Value Open(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kOpen, false);
  if (submission.ok()) {
    submission.path(&submission->path, 1);
    submission->flags = word(info, 2);
    submission->mode = word(info, 3);
  }
  return submission.submit();
}

// fileClose(id, file)
Napi::Value Close(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kClose, true);
  // Ends the number now: whoever comes later must not find a descriptor that is being closed.
  if (submission.ok()) guestOf(info)->loop().files().table().forget(word(info, 1));
  return submission.submit();
}

// fileRead(id, file, length, position): at most a block of the arena
Napi::Value Read(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kRead, true);
  const uint32_t length = std::min(word(info, 2), kBlockBytesMax);
  if (submission.ok() && submission.lease(length)) {
    submission->length = length;
    submission->offset = static_cast<int64_t>(number(info, 3));
  }
  return submission.submit();
}

// fileWrite(id, file, bytes, offset, length, position): at most a block of the arena
Napi::Value Write(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kWrite, true);
  const Bytes bytes(info, 2);
  const auto offset = static_cast<uint64_t>(number(info, 3));
  const uint32_t length = word(info, 4);
  if (!bytes.holds(offset, length) || length > kBlockBytesMax) submission.refuse(-EFAULT);
  if (submission.ok() && submission.lease(length)) {
    std::memcpy(submission->memory, bytes.data + offset, length);
    submission->length = length;
    submission->offset = static_cast<int64_t>(number(info, 5));
  }
  return submission.submit();
}

// fileSync(id, file, dataOnly)
Napi::Value Sync(const Napi::CallbackInfo& info) {
  Submission submission(info, flag(info, 2) ? FileOp::kDataSync : FileOp::kSync, true);
  return submission.submit();
}

// fileFlushes(finished) -> handle of the threads that flush where there is no ring
Napi::Value Flushes(const Napi::CallbackInfo& info) {
  auto threads = std::make_unique<FlushThreads>(info.Env(), info[0].As<Napi::Function>());
  return Napi::External<FlushThreads>::New(info.Env(), threads.release(),
                                           [](Napi::Env, FlushThreads* done) { delete done; });
}

// fileFlush(handle, id, file, dataOnly) -> 0 or -errno
Napi::Value Flush(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const OpenFile* file = guest->loop().files().table().find(word(info, 2));
  if (file == nullptr) return answer(info, -EBADF);
  FlushThreads* threads = info[0].As<Napi::External<FlushThreads>>().Data();
  return answer(info, threads->submit(word(info, 1), file->fd, flag(info, 3)));
}

// fileStat(id, path | file, follow)
Napi::Value Stat(const Napi::CallbackInfo& info) {
  const bool onFile = info[1].IsNumber();
  Submission submission(info, FileOp::kStat, onFile);
  if (submission.ok() && submission.lease(kBlockBytesMin)) {
    if (!onFile) submission.path(&submission->path, 1);
#ifdef AT_EMPTY_PATH
    if (onFile) submission->flags = AT_EMPTY_PATH;
#endif
    if (!onFile && !flag(info, 2)) submission->flags = AT_SYMLINK_NOFOLLOW;
  }
  return submission.submit();
}

// fileTruncate(id, file, length)
Napi::Value Truncate(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kTruncate, true);
  if (submission.ok()) submission->length = static_cast<uint64_t>(number(info, 2));
  return submission.submit();
}

// fileAllocate(id, file, mode, offset, length)
Napi::Value Allocate(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kAllocate, true);
  if (submission.ok()) {
    submission->mode = word(info, 2);
    submission->offset = static_cast<int64_t>(number(info, 3));
    submission->length = static_cast<uint64_t>(number(info, 4));
  }
  return submission.submit();
}

// fileAllocateInPool(file, mode, offset, length) -> promise of 0 or -errno
Napi::Value AllocateInPool(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const OpenFile* file = guest->loop().files().table().find(word(info, 0));
  return allocateInPool(info.Env(), file == nullptr ? -1 : file->fd, word(info, 1),
                        static_cast<int64_t>(number(info, 2)),
                        static_cast<int64_t>(number(info, 3)));
}

// fileRename(id, from, to) and fileUnlink(id, path)
Napi::Value Rename(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kRename, false);
  if (submission.ok()) {
    submission.path(&submission->path, 1);
    submission.path(&submission->target, 2);
  }
  return submission.submit();
}

Napi::Value Unlink(const Napi::CallbackInfo& info) {
  Submission submission(info, FileOp::kUnlink, false);
  if (submission.ok()) submission.path(&submission->path, 1);
  return submission.submit();
}

// fileCancel(id)
void Cancel(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->loop().files().cancel(word(info, 0));
}

// fileFetched(slot, generation, id, bytes, count | -errno): the answer to a kFileFetch event
void Fetched(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  const Bytes bytes(info, 3);
  const int32_t count = signedWord(info, 4);
  if (channel == nullptr || (count > 0 && !bytes.holds(0, static_cast<uint64_t>(count)))) return;
  guest->loop().fetched(*channel, word(info, 2), bytes.data, count);
}

}  // namespace

void addFileFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("fileCapabilities", Napi::Function::New<Capabilities>(env));
  exports.Set("fileOpenNow", Napi::Function::New<OpenNow>(env));
  exports.Set("fileStatNow", Napi::Function::New<StatNow>(env));
  exports.Set("fileReadNow", Napi::Function::New<MoveNow<&Files::tryRead>>(env));
  exports.Set("fileWriteNow", Napi::Function::New<MoveNow<&Files::tryWrite>>(env));
  exports.Set("fileReadWhole", Napi::Function::New<ReadWhole>(env));
  exports.Set("fileAdopt", Napi::Function::New<Adopt>(env));
  exports.Set("fileAbout", Napi::Function::New<About>(env));
  exports.Set("fileForget", Napi::Function::New<Forget>(env));
  exports.Set("fileCloseNow", Napi::Function::New<CloseNow>(env));
  exports.Set("fileOpen", Napi::Function::New<Open>(env));
  exports.Set("fileClose", Napi::Function::New<Close>(env));
  exports.Set("fileRead", Napi::Function::New<Read>(env));
  exports.Set("fileWrite", Napi::Function::New<Write>(env));
  exports.Set("fileSync", Napi::Function::New<Sync>(env));
  exports.Set("fileFlushes", Napi::Function::New<Flushes>(env));
  exports.Set("fileFlush", Napi::Function::New<Flush>(env));
  exports.Set("fileStat", Napi::Function::New<Stat>(env));
  exports.Set("fileTruncate", Napi::Function::New<Truncate>(env));
  exports.Set("fileAllocate", Napi::Function::New<Allocate>(env));
  exports.Set("fileAllocateInPool", Napi::Function::New<AllocateInPool>(env));
  exports.Set("fileRename", Napi::Function::New<Rename>(env));
  exports.Set("fileUnlink", Napi::Function::New<Unlink>(env));
  exports.Set("fileCancel", Napi::Function::New<Cancel>(env));
  exports.Set("fileFetched", Napi::Function::New<Fetched>(env));
}

}  // namespace ringpoll
