// Bytes that go from one socket to another through a pipe, without a copy: splice(2), which Linux
// alone has.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace ringpoll {

// A pipe that does not block, with room for `bytes` if the kernel allows so much. Answers its room;
// 0: there is none.
uint32_t openPipe(uint32_t bytes, int* read, int* write);
void closePipe(int read, int write);
// Of `from` and `to` one is a pipe. A count, 0 at the end, or -errno; -ENOSYS where there is none.
ssize_t spliceBytes(int from, int to, size_t bytes);

}  // namespace ringpoll
