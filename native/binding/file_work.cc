#include "file_work.h"

#include <fcntl.h>

#include <cerrno>

namespace ringpoll {

namespace {

class Allocation final : public Napi::AsyncWorker {
 public:
  Allocation(Napi::Env env, int fd, uint32_t mode, int64_t offset, int64_t length)
      : Napi::AsyncWorker(env, "RINGPOLL_FALLOCATE"),
        promise_(Napi::Promise::Deferred::New(env)),
        fd_(fd),
        mode_(mode),
        offset_(offset),
        length_(length) {}

  Napi::Promise promise() const { return promise_.Promise(); }

  void Execute() override {
#ifdef __linux__
    result_ = ::fallocate(fd_, static_cast<int>(mode_), offset_, length_) == 0 ? 0 : -errno;
#else
    result_ = -ENOTSUP;
#endif
  }
  void OnOK() override { promise_.Resolve(Napi::Number::New(Env(), result_)); }

 private:
  Napi::Promise::Deferred promise_;
  const int fd_;
  [[maybe_unused]] const uint32_t mode_;
  [[maybe_unused]] const int64_t offset_;
  [[maybe_unused]] const int64_t length_;
  int result_ = 0;
};

}  // namespace

Napi::Value allocateInPool(Napi::Env env, int fd, uint32_t mode, int64_t offset, int64_t length) {
  auto* work = new Allocation(env, fd, mode, offset, length);  // deletes itself when it is done
  work->Queue();
  return work->promise();
}

}  // namespace ringpoll
