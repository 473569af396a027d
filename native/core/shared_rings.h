// The memory that native code and JavaScript share, and the records in it.
// lib/loop/protocol.ts holds the same numbers; a test compares the two.
#pragma once

#include <cstdint>

#include "limits.h"

namespace ringpoll {

// Records are kRecordWords 32-bit words. Event: kind, slot, generation, result, offset, length,
// aux0, aux1. Command: kind, slot, generation, then what the kind needs.
enum class EventKind : int32_t {
  kOpen = 1,            // aux1: owner
  kData = 2,            // result: slab, offset and length in it, aux0: block, aux1: owner
  kEnd = 3,             // aux1: owner
  kDrain = 4,           // aux1: owner
  kTimeout = 5,         // aux1: owner
  kClose = 6,           // result: errno or 0, with the Syscall in the top byte; offset and length:
                        // bytes read and written, low words; aux0: their 16 high bits; aux1: owner
  kConnected = 7,       // aux1: owner
  kAcceptError = 8,     // result: errno, aux1: owner
  kListenerClosed = 9,  // aux1: owner
};

enum class CommandKind : int32_t {
  kSend = 1,         // block, offset in the slab, length
  kEnd = 2,          // FIN after what is queued
  kClose = 3,        // close after what is queued
  kReset = 4,        // RST now
  kPause = 5,
  kResume = 6,
  kTimeout = 7,      // milliseconds, 0: none
  kCork = 8,
  kUncork = 9,
  kRetain = 10,      // slot: block
  kRelease = 11,     // slot: block
  kWantDrain = 12,   // bytes
  kDestroy = 13,     // close now, drop what is queued
};

// Words of the control block.
enum ControlWord : uint32_t {
  kEventCount = 0,
  kCommandCount = 1,
  kStagingBlock = 2,   // where JavaScript writes bytes to send: block, slab, offset in the slab,
  kStagingSlab = 3,    // size, and how much of it is used
  kStagingOffset = 4,
  kStagingSize = 5,
  kStagingUsed = 6,
  kTurn = 7,           // number of the turn: chunks of an earlier one are over
  kResultError = 8,    // of the last call that opens something: errno or 0, Syscall, owner,
  kResultSyscall = 9,  // and the slot and generation of a connection
  kResultOwner = 10,
  kResultSlot = 11,
  kResultGeneration = 12,
  kControlWords = 16,
};

// errno values of our own, outside the kernel's range.
inline constexpr int32_t kErrorConnectTimeout = 0x10000;

struct SharedRings {
  int32_t* control = nullptr;   // kControlWords
  int32_t* events = nullptr;    // kEventCapacity records
  int32_t* commands = nullptr;  // kCommandCapacity records
};

}  // namespace ringpoll
