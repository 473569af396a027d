// Whether what ended a multishot accept is a connection.
//
// Kernels from 6.6 to 6.8 may end one, when the completion queue overflows, with the mask of a poll
// in the place of the descriptor. As a descriptor that number may be anybody's: it must neither be
// taken nor closed. Only the completion that is the last of its accept can be wrong so, and it is
// rare, so that all open channels can be looked through.
#pragma once

#include "channel_table.h"
#include "sockets.h"

namespace ringpoll {

inline bool isNewConnection(ChannelTable& channels, SocketCalls& sockets, const Channel& listener,
                            int fd) {
  bool known = false;
  channels.forEach([&](const Channel& channel) { known = known || channel.fd == fd; });
  return !known && sockets.acceptedBy(listener.fd, fd);
}

}  // namespace ringpoll
