#pragma once

namespace ringpoll {

// From the first call on, memory that was freed stays with the process, up to twice as much as a
// block of kLargestKeptBytes: for buffers that come and go many times a second. Does nothing where
// the C library has no such limit, or a variable of the environment sets it.
void keepFreedMemory();

}  // namespace ringpoll
