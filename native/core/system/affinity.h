// Where a thread may run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringpoll {

// The calling thread runs on these processors alone. 0, or -errno: -ENOSYS where the system has no
// such call. Threads that it starts later inherit this.
int pinThread(const uint32_t* cpus, size_t count);
// The processors that the calling thread may run on; empty where the system does not tell.
std::vector<uint32_t> threadCpus();
// The kernel's number of the calling thread; 0 where there is none.
int threadId();

}  // namespace ringpoll
