// Systems without calls that promise not to wait for a disk: everything goes to the pool.
#include <unistd.h>

#include <cerrno>

#include "file_calls.h"

namespace ringpoll {

int FileCalls::openCached(const char*, int) { return -EOPNOTSUPP; }
int FileCalls::about(int, FileAbout*) { return -EOPNOTSUPP; }
int FileCalls::stat(int, double*) { return -EOPNOTSUPP; }
FileSystem FileCalls::fileSystem(int) { return FileSystem::kOther; }
void FileCalls::clearNonBlocking(int, int) {}
ssize_t FileCalls::readCached(int, const iovec&, int64_t) { return -EOPNOTSUPP; }
ssize_t FileCalls::writeCached(int, const iovec&, int64_t) { return -EOPNOTSUPP; }
ssize_t FileCalls::read(int, const iovec&, int64_t) { return -EOPNOTSUPP; }
ssize_t FileCalls::write(int, const iovec&, int64_t) { return -EOPNOTSUPP; }
bool FileCalls::resident(int, uint64_t, uint64_t) { return false; }
ssize_t FileCalls::sendFile(int, int, uint64_t, uint64_t) { return -EOPNOTSUPP; }
int FileCalls::close(int fd) { return ::close(fd) == 0 ? 0 : -errno; }

}  // namespace ringpoll
