#include "lingering.h"

#include <algorithm>
#include <cerrno>

#include "core/base/limits.h"

namespace ringpoll {

bool Lingering::begin(Channel& channel) {
  // What was sent over a Unix socket is the peer's already.
  if (channel.state != ChannelState::kOpen || (channel.flags & kUnixSocket)) return false;
  if (all_.count(channel.token()) > 0) return true;
  const uint64_t unsent = state_.sockets.unsentInKernel(channel.fd);
  if (unsent == 0) return false;
  if (!(channel.flags & kWriteEnded)) state_.sockets.shutdownWrite(channel.fd);
  channel.flags |= kWriteEnded;
  all_.emplace(channel.token(), Linger{kLingerFirstMs, unsent, state_.nowMs, state_.nowMs});
  timers_.arm(channel.timer, state_.nowMs, kLingerFirstMs);
  return true;
}

bool Lingering::onTimer(Channel& channel) {
  const auto found = all_.find(channel.token());
  if (found == all_.end()) return false;
  Linger& linger = found->second;
  const bool broken = !dropReceived(channel);
  const uint64_t unsent = state_.sockets.unsentInKernel(channel.fd);
  if (unsent < linger.unsent) linger.movedMs = state_.nowMs;
  linger.unsent = unsent;
  const bool late = state_.nowMs - linger.movedMs >= kLingerStillMs ||
                    state_.nowMs - linger.startMs >= kLingerMsMax;
  if (broken || unsent == 0 || late) {
    ends_.destroy(channel);
    return true;
  }
  linger.delayMs = std::min(linger.delayMs * 2, kLingerStepMsMax);
  timers_.arm(channel.timer, state_.nowMs, linger.delayMs);
  return true;
}

void Lingering::stop() {
  for (const auto& [token, linger] : all_) {
    const Channel* channel = state_.channels.find(token);
    if (channel != nullptr && channel->fd >= 0) dropReceived(*channel);
  }
  all_.clear();
}

// False: the connection is broken. At most kLingerBytes are dropped at a time: the peer's window
// holds back who sends more.
bool Lingering::dropReceived(const Channel& channel) {
  uint8_t dropped[4096];
  for (uint32_t bytes = 0; bytes < kLingerBytes;) {
    const ssize_t n = state_.sockets.receive(channel.fd, dropped, sizeof dropped);
    if (n == 0) return true;
    if (n < 0) return n == -EAGAIN || n == -EWOULDBLOCK || n == -EINTR;
    bytes += static_cast<uint32_t>(n);
  }
  return true;
}

}  // namespace ringpoll
