// Sockets that come from elsewhere, go elsewhere, or are read by JavaScript itself.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/probes.h"
#include "core/system/wake.h"
#include "loop.h"

namespace ringpoll {

// Two owners of one descriptor would close it twice, and the second time it may be another's.
bool Loop::isTaken(int fd) {
  bool taken = false;
  state_.channels.forEach([&](const Channel& channel) { taken = taken || channel.fd == fd; });
  return taken;
}

SocketResult Loop::adoptConnection(int fd, Endpoint settings, Token* connection,
                                   uint32_t* endpoint) {
  if (isTaken(fd)) return {-1, EEXIST, Syscall::kConnect};
  const SocketResult adopted = adoptStream(fd);
  if (adopted.fd < 0) return adopted;
  if (settings.protocol == nullptr) settings.protocol = protocols_[0].get();
  settings.outgoing = true;
  const uint32_t id = endpoints_.add(settings);
  Channel* channel = openChannel(ChannelType::kConnection, fd, id);
  if (channel == nullptr) {
    endpoints_.undo(id);
    return {-1, ENOMEM, Syscall::kConnect};
  }
  if (localAddress(fd).family == AF_UNIX) channel->flags |= kUnixSocket;
  routes_.place(*channel, settings.hint);
  const int attached = state_.engineOf(*channel).attach(*channel);
  if (attached != 0) {
    --live_;
    --connections_;
    state_.channels.release(*channel);
    endpoints_.undo(id);
    return {-1, -attached, Syscall::kConnect};
  }
  ++endpoints_[id].connections;
  *connection = channel->token();
  *endpoint = id;
  channel->idleTimeoutMs = settings.idleTimeoutMs;
  opened(*channel);
  return {fd, 0, Syscall::kNone};
}

void Loop::setReferenced(Channel& channel, bool referenced) {
  if (referenced) {
    channel.lifeFlags &= ~kUnreferenced;
  } else {
    channel.lifeFlags |= kUnreferenced;
  }
  state_.liveness.review(channel);
}

Channel* Loop::listenerOf(uint32_t endpoint) {
  const Endpoint* found = endpoints_.find(endpoint);
  return found == nullptr || !found->isListener ? nullptr : state_.channels.find(found->listener);
}

AccessGate* Loop::gateOf(uint32_t endpoint) {
  const Endpoint* found = endpoints_.find(endpoint);
  if (found == nullptr || !found->live || !found->isListener) return nullptr;
  if (found->gate == nullptr) endpoints_[endpoint].gate = std::make_shared<AccessGate>();
  return found->gate.get();
}

bool Loop::tellReadable(Channel& channel, bool tell) {
  if (channel.state != ChannelState::kOpen || channel.route == Route::kCompletion) return false;
  if (channel.filtered != nullptr || (channel.flags & kMigrating)) return false;
  // What is held back comes first, and what comes next is judged too.
  if (tell && faults_ != nullptr) return false;
  if (tell == ((channel.engineFlags & kTellsReadable) != 0)) return true;
  if (tell) {
    channel.engineFlags |= kTellsReadable;
  } else {
    channel.engineFlags &= ~kTellsReadable;
  }
  routes_.receiveIfWanted(channel);
  return true;
}

uint32_t Loop::readInto(Channel& channel, uint8_t* data, uint32_t bytes) {
  constexpr uint16_t notRead = kReadEnded | kPaused | kCloseWhenSent | kMigrating;
  if (channel.state != ChannelState::kOpen || (channel.flags & notRead)) return 0;
  if (!(channel.engineFlags & kTellsReadable) || bytes == 0) return 0;
  const ssize_t n = state_.sockets.receive(channel.fd, data, bytes);
  if (socketIsFull(n)) {
    ++state_.metrics.receivesEmpty;
    channel.announced = 0;
    channel.engineFlags &= ~(kReadable | kHangup);
    return 0;
  }
  if (n <= 0) {  // the end, or an error: told as that of any other connection
    channel.engineFlags &= ~(kReadable | kWantReceive);
    state_.ready.push(channel.token(), OpKind::kReceive, static_cast<int32_t>(n));
    return 0;
  }
  const auto taken = static_cast<uint32_t>(n);
  RP_PROBE2(receive, channel.slot, taken);
  ++state_.metrics.receives;
  channel.bytesRead += taken;
  channel.activeMs = static_cast<uint32_t>(state_.nowMs);
  state_.metrics.bytesRead += taken;
  routes_.received(channel, taken);
  channel.announced -= std::min(channel.announced, taken);
  // The same rule as in engine/readiness.cc.
  const bool emptied = taken < bytes && channel.announced == 0 && !(channel.flags & kUnixSocket) &&
                       !(channel.engineFlags & kHangup);
  if (emptied) {
    channel.engineFlags &= ~kReadable;
  } else {
    channel.engineFlags |= kReadable;
    routes_.receiveIfWanted(channel);
  }
  return taken;
}

bool Loop::readSome(Channel& channel, uint32_t bytesMax, ReceivedBytes* bytes) {
  ReceiveBuffers::Room room;
  if (!state_.buffers.room(&room)) return false;
  const uint32_t taken = readInto(channel, room.at, std::min(bytesMax, room.bytes));
  if (taken > 0) state_.buffers.commit(taken);
  *bytes = {room.block, room.offset, taken};
  return true;
}

}  // namespace ringpoll
