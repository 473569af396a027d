// The ring's operations on files.
#pragma once

#include "core/base/metrics.h"
#include "core/channel/completion.h"
#include "core/files/file_engine.h"
#include "uring_ring.h"

namespace ringpoll {

class UringFiles final : public FileEngine {
 public:
  UringFiles(Ring& ring, ReadyQueue& ready, Metrics& metrics, uint8_t tag, uint8_t ignoreTag)
      : ring_(ring), ready_(ready), metrics_(metrics), tag_(tag), ignoreTag_(ignoreTag) {}

  bool offers(FileOp op) const override;
  void submit(FileRequest& request) override;
  void cancel(FileRequest& request) override;

  // A completion that carries our tag.
  void take(const io_uring_cqe& cqe);
  // The same when nobody is there any more to take the result.
  void drop(const io_uring_cqe& cqe);
  // Operations that the ring holds.
  uint64_t inKernel() const { return inKernel_; }

 private:
  uint64_t userData(const FileRequest& request) const;
  FileRequest& finished(const io_uring_cqe& cqe);

  Ring& ring_;
  ReadyQueue& ready_;
  Metrics& metrics_;
  const uint8_t tag_;
  const uint8_t ignoreTag_;
  uint64_t inKernel_ = 0;
};

}  // namespace ringpoll
