#include "socket_file.h"

#include <sys/un.h>
#include <unistd.h>

#include <climits>

#ifdef __linux__
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#else
#include <sys/stat.h>
#endif

namespace ringpoll {

bool FileIdentity::of(const char* path, FileIdentity* out) {
#ifdef __linux__
  // Not lstat(), which glibc has as a symbol of its own since 2.33 alone.
  struct statx status;
  if (::syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO, &status) != 0) {
    return false;
  }
  *out = {uint64_t{status.stx_dev_major} << 32 | status.stx_dev_minor, status.stx_ino};
#else
  struct stat status;
  if (::lstat(path, &status) != 0) return false;
  *out = {static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino)};
#endif
  return true;
}

SocketFile::SocketFile(const SocketAddress& address) {
  if (address.family() != AF_UNIX) return;
  const char* name = reinterpret_cast<const sockaddr_un*>(address.get())->sun_path;
  if (*name == '\0' || !FileIdentity::of(name, &identity_)) return;
  char folder[PATH_MAX];
  // The process may stand in another folder when it is removed.
  if (*name != '/' && ::getcwd(folder, sizeof folder) != nullptr) path_ = std::string(folder) + "/";
  path_ += name;
}

void SocketFile::remove() {
  FileIdentity now;
  const bool ours = !path_.empty() && FileIdentity::of(path_.c_str(), &now) && now == identity_;
  // Should somebody be faster, or the folder not be ours any more: nothing to do about it.
  if (ours) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace ringpoll
