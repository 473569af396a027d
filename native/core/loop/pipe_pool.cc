#include "pipe_pool.h"

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/system/splice_calls.h"

namespace ringpoll {

PipePool::~PipePool() {
  for (const Pipe& pipe : free_) closePipe(pipe.read, pipe.write);
}

Pipe PipePool::take() {
  Pipe pipe;
  if (!free_.empty()) {
    pipe = free_.back();
    free_.pop_back();
  } else if (used_ < kPipesMax) {
    pipe.bytes = openPipe(kPipeBytes, &pipe.read, &pipe.write);
  }
  if (pipe.isOpen()) ++used_;
  return pipe;
}

void PipePool::give(Pipe pipe) {
  RP_ASSERT(used_ > 0);
  if (free_.size() >= kFreePipesKept) {
    discard(pipe);
    return;
  }
  --used_;
  free_.push_back(pipe);
}

void PipePool::discard(Pipe pipe) {
  RP_ASSERT(used_ > 0);
  --used_;
  closePipe(pipe.read, pipe.write);
}

}  // namespace ringpoll
