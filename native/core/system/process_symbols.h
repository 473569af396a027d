// Functions of libraries that are in the process already, by name: nothing of ours links them.
#pragma once

namespace ringpoll {

// nullptr: nothing in the process exports it.
void* processSymbol(const char* name);

}  // namespace ringpoll
