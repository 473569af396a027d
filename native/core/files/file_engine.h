// Operations on files, for the one engine that has them: the ring. There is no readiness of a file,
// so a readiness engine could only block or keep threads, and Node has a pool of those already.
// Hence not a part of Engine, which every engine can keep, but an offer of its own.
#pragma once

#include "file_request.h"

namespace ringpoll {

class FileEngine {
 public:
  virtual ~FileEngine() = default;
  // Whether the kernel has the operation: it was asked, never guessed from a version.
  virtual bool offers(FileOp op) const = 0;
  // Yields one completion of OpKind::kFile, whose token's slot is the request's id. The request and
  // its memory must stay as they are until then.
  virtual void submit(FileRequest& request) = 0;
  // The completion comes all the same: -ECANCELED, or the result of what could not be stopped.
  virtual void cancel(FileRequest& request) = 0;
};

}  // namespace ringpoll
