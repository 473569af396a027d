// Every fixed size of the core, with its unit. Relations between them are asserted at the end.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringpoll {

// Rings shared with JavaScript.
inline constexpr uint32_t kRecordWords = 8;         // 32-bit words in an event or a command
inline constexpr uint32_t kEventCapacity = 2048;    // events delivered by one call into JavaScript
inline constexpr uint32_t kCommandCapacity = 4096;  // commands taken by one flush

// Budgets of one turn. They bound how long one peer or one engine can keep the others waiting.
inline constexpr uint32_t kTurnBytesMax = 256 * 1024;        // received per turn, all connections
inline constexpr uint32_t kTurnsTogetherMax = 4;             // without an iteration of libuv
inline constexpr uint64_t kTurnsTogetherNsMax = 500'000;     // when they took so long, no other one
inline constexpr uint32_t kConnectionBytesMax = 128 * 1024;  // received per turn, one connection
inline constexpr uint32_t kAcceptsPerTurnMax = 128;          // per listener
inline constexpr uint32_t kSharedAcceptsMin = 16;            // ... that other processes may have
inline constexpr uint32_t kSharedDoublingsMax = 3;           // of these, while more is left over
inline constexpr uint32_t kCompletionsPerTurnMax = 896;      // all engines
inline constexpr uint32_t kKernelEventsMax = 512;            // taken by one epoll_wait or kevent

// What JavaScript can make leave before its turn is over: then a writer waits for the next turn.
inline constexpr uint32_t kConnectionShareBytes = 256 * 1024;  // of one connection
inline constexpr uint32_t kTurnShareBytes = 1024 * 1024;       // of all connections together
inline constexpr uint32_t kCommandShareBytes = 64;             // of a write, beside its bytes
inline constexpr uint32_t kDrainsPerTurnMax = 64;              // drain events, all connections

// Arena.
inline constexpr uint32_t kSlabBytes = 1024 * 1024;     // one ArrayBuffer
inline constexpr uint32_t kBlockBytesMin = 2 * 1024;    // smallest size class
inline constexpr uint32_t kBlockBytesMax = 256 * 1024;  // largest size class
inline constexpr uint32_t kBlockClasses = 8;            // 2 KB, 4 KB, ... 256 KB
inline constexpr uint32_t kFreeSlabsKept = 8;           // wholly free slabs kept warm
inline constexpr uint32_t kHotBlockBytes = 256 * 1024;  // receive and staging blocks
inline constexpr uint32_t kReceiveRoomMin = 64 * 1024;  // least room offered to one receive
inline constexpr uint32_t kReceiveMax = 128 * 1024;     // most bytes asked of one receive
inline constexpr uint32_t kReceiveAlignBytes = 64;      // chunks start on a cache line
inline constexpr uint32_t kPageBytes = 4096;            // the smallest that a system has
inline constexpr uint32_t kPageStartBytes = 64;         // of a page, into which copying may be slow
inline constexpr uint32_t kCopyInsteadOfPinMax = 16 * 1024;  // keeping fewer bytes copies them

// Sending.
inline constexpr uint32_t kSendVectorsMax = 64;     // iovecs of one send
inline constexpr size_t kSendBytesMax = INT32_MAX;  // of the caller's own memory in one send
inline constexpr uint32_t kSendsTogetherMin = 32;   // connections of a flush, from which on the
                                                    // ring sends for all of them at once
inline constexpr uint32_t kSendsTogetherMax = 256;  // in one io_uring_enter
inline constexpr uint32_t kTogetherVectorsMax = 4;  // iovecs of one of these
inline constexpr uint32_t kSendNodesPerPage = 128;  // queue nodes allocated at once

// Files.
inline constexpr uint32_t kFileNowBytesMax = 512 * 1024;    // read or written by one call that may
                                                            // not wait
inline constexpr uint32_t kFileSendBytesMax = 1024 * 1024;  // sent to one connection per flush
inline constexpr uint32_t kFileCopyBytesMax = 16 * 1024;    // fewer are read and sent like others
inline constexpr uint32_t kFileEncodedBytes = 128 * 1024;   // read at a time for a filter
inline constexpr uint64_t kFileStallMs = 5;  // a call of the page cache that took so long waited
inline constexpr uint64_t kFileStallPauseMs = 100;  // then none is made for so long

// Waiting: see loop/waiting.h.
inline constexpr uint64_t kSpinNsMax = 100'000;          // polled before a wait blocks
inline constexpr uint64_t kSpinShortWaitNs = 1'000'000;  // a wait that polling may make shorter
inline constexpr uint32_t kSpinCreditMax = 8;            // an event while polling adds one
inline constexpr uint32_t kSpinMissCost = 2;             // no event takes so many
inline constexpr uint32_t kSpinProbeEveryMin = 16;       // short waits before polling is tried
inline constexpr uint32_t kSpinProbeEveryMax = 1024;     // where it has not paid

// How epoll tells of connections: see engine/trigger.h.
inline constexpr uint8_t kEmptyWakesMax = 3;              // in a row, then by levels
inline constexpr uint64_t kBusyEvents = 5000;             // ready events a second: edges for all
inline constexpr uint64_t kTriggerWindowNs = 20'000'000;  // over which they are counted, at least

// Pipelines: two connections that send what the other one receives.
inline constexpr uint32_t kPipesMax = 256;                 // of a loop, with bytes in them
inline constexpr uint32_t kFreePipesKept = 8;              // empty ones
inline constexpr uint32_t kPipeBytes = 512 * 1024;         // asked for; the kernel may give fewer
inline constexpr uint32_t kSplicedBytesMax = 1024 * 1024;  // by one connection, in a row
inline constexpr uint32_t kPipedTurnBytesMax = 2 * 1024 * 1024;  // moved per turn, all pipelines
inline constexpr uint32_t kPipedBytesMax = 256 * 1024;  // that wait in arena blocks: stops reading

// io_uring.
inline constexpr uint32_t kSubmissionEntries = 1024;
inline constexpr uint32_t kCompletionEntries = 4096;
inline constexpr uint32_t kProvidedBuffers = 128;            // power of two
inline constexpr uint32_t kProvidedBufferBytes = 16 * 1024;  // of each
inline constexpr uint32_t kReapRoundsMax = 8;                // CQ refills taken in one turn
inline constexpr uint8_t kStarvationsMax =
    2;  // of one receive in a row; then it is read by readiness

// Tables and timers.
inline constexpr uint32_t kChannelsPerPage = 256;
inline constexpr uint32_t kChannelsMax = 1u << 24;
inline constexpr uint32_t kGenerationMask = 0xffffff;
inline constexpr uint32_t kTimerTickMs = 4;
inline constexpr uint32_t kAcceptRetryMs = 50;     // after EMFILE, ENFILE, ENOBUFS or ENOMEM
inline constexpr uint32_t kStopAcceptsMax = 4096;  // taken of what waits when a listener stops
inline constexpr uint32_t kLingerFirstMs = 2;      // see loop/lingering.h
inline constexpr uint32_t kLingerStepMsMax = 50;
inline constexpr uint64_t kLingerStillMs = 2000;     // without progress
inline constexpr uint64_t kLingerMsMax = 30'000;     // in all
inline constexpr uint32_t kLingerBytes = 64 * 1024;  // dropped at a time
inline constexpr uint32_t kStopHandshakeMs = 1000;   // for a handshake when its listener stops
inline constexpr uint32_t kSharedAcceptMs = 4;     // between two parts of a shared listener's queue
inline constexpr uint32_t kMailboxSockets = 1024;  // accepted, waiting for one thread
inline constexpr uint32_t kQueueTakesMax = 4;      // of the queue of all threads, in one turn
inline constexpr uint32_t kMailboxRetryMs = 2;     // while every thread's mailbox is full
inline constexpr uint32_t kTransfersMax = 1024;    // connections on their way to one thread
inline constexpr uint32_t kTransferBytesMax = 4u << 20;  // received bytes that go along with one
inline constexpr uint32_t kTransferNoteMax = 64 * 1024;  // what one thread tells the other of it
inline constexpr uint32_t kGroupListenersMax = 16;       // of one group
inline constexpr uint32_t kGroupThreadsMax = 256;
inline constexpr uint32_t kMemoryRetryMs = 10;  // after ENOBUFS or ENOMEM, which has no event
inline constexpr uint32_t kFaultHeldBytesMax = 1024 * 1024;  // of one connection: see faults.h
inline constexpr uint32_t kFaultDeliveriesMax = 256;         // of held pieces, in one turn
inline constexpr uint32_t kStopWaitMs = 2000;  // longest wait for the kernel to let go of memory

static_assert(kConnectionShareBytes <= kTurnShareBytes, "one connection may not exceed the turn");
static_assert(kCommandCapacity * kCommandShareBytes >= kConnectionShareBytes,
              "a ring full of small writes uses a connection's share up");
static_assert(kBlockBytesMin << (kBlockClasses - 1) == kBlockBytesMax);
static_assert(kSharedAcceptsMin << kSharedDoublingsMax == kAcceptsPerTurnMax);
static_assert(kSlabBytes % kBlockBytesMax == 0, "a slab is carved without rest");
static_assert(kReceiveRoomMin <= kReceiveMax && kReceiveMax <= kHotBlockBytes);
static_assert(kReceiveMax + kPageStartBytes <= kHotBlockBytes);
static_assert(kPageStartBytes % kReceiveAlignBytes == 0, "skipping keeps chunks on cache lines");
static_assert(kConnectionBytesMax <= kTurnBytesMax, "one connection may not exceed the turn");
static_assert(2 * kCompletionsPerTurnMax + kKernelEventsMax / 2 <= kEventCapacity,
              "each completion yields at most two events, and timeouts need room too");
static_assert(kTransferNoteMax <= kBlockBytesMax, "it lies in one block");
static_assert((kProvidedBuffers & (kProvidedBuffers - 1)) == 0, "the kernel masks the index");
static_assert(kCompletionEntries >= 2 * kSubmissionEntries, "CQ 2 to 4 times the SQ");

}  // namespace ringpoll
