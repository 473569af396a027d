// One datagram, as JavaScript and native code see it: sixteen words in the arena. The same record
// says where a datagram came from, and where another one goes. lib/udp/record.ts has the numbers.
#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace ringpoll::udp {

inline constexpr uint32_t kRecordWords = 16;
inline constexpr uint32_t kRecordBytes = kRecordWords * sizeof(int32_t);

enum RecordWord : uint32_t {
  kSlab = 0,
  kOffset = 1,  // in the slab
  kLength = 2,
  kBlock = 3,
  kPort = 4,    // flags stand above it
  kTraits = 5,  // size of a segment, and above it traffic class and hop limit, eight bits each
  kScope = 6,
  kInterface = 7,
  kAddress = 8,  // four words, as bytes in the order of the network
  kLocal = 12,   // the same: which of our addresses it was sent to
};

enum RecordFlag : uint32_t {
  kTruncated = 1,
  kIpv4 = 2,  // the address is one word
  kHasLocal = 4,
  kHasClass = 8,
  kHasHops = 16,
};
inline constexpr uint32_t kFlagsShift = 16;
inline constexpr uint32_t kClassShift = 16;
inline constexpr uint32_t kHopsShift = 24;

// Fills port, scope and address, and the flag kIpv4; the other words are zero.
void writeAddress(const sockaddr_storage& from, int32_t* record);
// The address for a socket of `family`: IPv4 is mapped on an IPv6 socket. 0: the other way round.
socklen_t readAddress(const int32_t* record, int family, sockaddr_storage* to);

}  // namespace ringpoll::udp
