// What comes and goes beside a datagram: control messages of the kernel.
#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace ringpoll::udp {

inline constexpr uint32_t kControlBytes = 128;  // for all that a socket can ask for

// Puts what was said beside a received datagram into its record. `kernelDropped`: how many
// datagrams the kernel had no room for since the socket was opened, if it says so.
void readControl(msghdr& header, int32_t* record, uint32_t* kernelDropped);

// Which segments to cut it into (0: none), and from which address of ours it goes, if the record
// says so. `control` has kControlBytes.
void writeControl(msghdr& header, uint8_t* control, const int32_t* record, int family,
                  uint32_t segmentBytes);

// A report of the error queue.
struct SocketError {
  int error = 0;          // errno; 0: nothing that was not told already
  bool fromPeer = false;  // ICMP said it
};
SocketError readError(msghdr& header);

}  // namespace ringpoll::udp
