// Wakes a thread that waits for descriptors: an eventfd, or a pipe where there is none. Any thread
// may signal; the waiting one clears.
#pragma once

namespace ringpoll {

class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  bool isOpen() const { return read_ >= 0; }
  // Becomes readable with signal(); for the waiting side to watch, or to duplicate.
  int fd() const { return read_; }
  void signal() const;
  // Makes `fd`, which is fd() or a duplicate of it, not readable.
  static void clear(int fd);

 private:
  int read_ = -1;
  int write_ = -1;  // the same for an eventfd
};

// Another number for the same open file, close-on-exec; or -errno.
int duplicate(int fd);

}  // namespace ringpoll
