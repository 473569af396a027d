// The file that binding a Unix socket to a path has made.
#pragma once

#include <cstdint>
#include <string>

#include "sockets.h"

namespace ringpoll {

// Which file a name stands for, if it stands for any.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;

  static bool of(const char* path, FileIdentity* out);
  bool operator==(const FileIdentity&) const = default;
};

class SocketFile {
 public:
  SocketFile() = default;
  // Of what was just bound to `address`; none for a port or an abstract name.
  explicit SocketFile(const SocketAddress& address);
  // It goes with its listener, as Node does it; unless it is another one by now, or gone.
  void remove();

 private:
  std::string path_;
  FileIdentity identity_;
};

}  // namespace ringpoll
