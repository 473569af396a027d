// Pipes of the kernel that bytes are spliced through. A flow has one only while bytes are in it, so
// a few serve many pipelines.
#pragma once

#include <cstdint>
#include <vector>

namespace ringpoll {

struct Pipe {
  int read = -1;
  int write = -1;
  uint32_t bytes = 0;  // room that the kernel gave it

  bool isOpen() const { return read >= 0; }
};

class PipePool {
 public:
  PipePool() = default;
  ~PipePool();
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  // An empty pipe; not open when there are kPipesMax in use, or the system has none.
  Pipe take();
  // It is empty again.
  void give(Pipe pipe);
  // Bytes are in it that nobody wants.
  void discard(Pipe pipe);

 private:
  std::vector<Pipe> free_;
  uint32_t used_ = 0;
};

}  // namespace ringpoll
