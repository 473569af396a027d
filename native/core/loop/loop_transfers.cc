// Connections that go to another thread, and those that come from one.
//
//   open --letGo()--> leaving --kLeft--> JavaScript has all that came --leave()--> closed here
//                        |                                           \--stay()---> open
//                        \--closed meanwhile--> kClose, and no kLeft
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "core/system/wake.h"
#include "loop.h"

namespace ringpoll {

int Loop::mayGo(const Channel& channel) const {
  if (channel.state != ChannelState::kOpen || channel.filtered != nullptr) return -EINVAL;
  if (channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent)) return -EPIPE;
  if (!channel.allSent() || (channel.flags & kSending)) return -EAGAIN;
  return 0;
}

int Loop::letGo(Channel& channel) {
  flush();
  if (const int refused = mayGo(channel); refused != 0) return refused;
  if (channel.protocol != protocols_[0].get() || (channel.lifeFlags & kLeaving)) return -EINVAL;
  channel.lifeFlags |= kLeaving;
  if (channel.flags & kMigrating) return 0;  // it is being detached already
  channel.flags |= kMigrating;
  state_.engineOf(channel).detach(channel);
  state_.requestAnotherTurn(channel);
  return 0;
}

void Loop::leave(Channel& channel) {
  RP_ASSERT(channel.lifeFlags & kLeaving);
  ++state_.metrics.departed;
  channel.lifeFlags |= kHandedAway;
  destroy(channel);
}

void Loop::stay(Channel& channel) {
  RP_ASSERT(channel.lifeFlags & kLeaving);
  channel.lifeFlags &= ~kLeaving;
  routes_.attachAgain(channel);
}

bool Loop::takeArrivals(std::shared_ptr<ArrivalSource> source, std::vector<uint32_t> endpoints) {
  RP_ASSERT(arrivals_ == nullptr);
  Channel* channel = openChannel(ChannelType::kWatch, source->wakeFd(), 0);
  if (channel == nullptr) return false;
  arrivals_ = std::move(source);
  arrivalEndpoints_ = std::move(endpoints);
  arrivalsWatch_ = channel->token();
  state_.engines[0]->attach(*channel);
  state_.engines[0]->watch(*channel);
  arrivals_->joined();
  takesArrivals_ = true;
  receiveArrivals();  // what has waited for a thread
  return true;
}

void Loop::leaveArrivals() {
  if (!takesArrivals_) return;
  arrivals_->left();
  // Whoever brought one saw that this loop takes them.
  while (!arrivals_->empty()) receiveArrivals();
  takesArrivals_ = false;
}

void Loop::receiveArrivals() {
  if (!takesArrivals_) return;
  for (uint32_t i = 0; i < kAcceptsPerTurnMax; ++i) {
    const std::unique_ptr<Arrival> arrival = arrivals_->take();
    if (arrival == nullptr) break;
    arrive(*arrival);
  }
  arrivalsLeft_ = !arrivals_->empty();
  if (arrivalsLeft_) state_.moreReady = true;
}

// As if it had been accepted here.
void Loop::arrive(Arrival& arrival) {
  const uint32_t id = arrival.listener < arrivalEndpoints_.size()
                          ? arrivalEndpoints_[arrival.listener]
                          : UINT32_MAX;
  const Endpoint* known = endpoints_.find(id);
  const bool takes = known != nullptr && known->live && known->isListener &&
                     known->filter == nullptr && known->protocol == protocols_[0].get();
  Channel* channel = takes ? openChannel(ChannelType::kConnection, arrival.fd, id) : nullptr;
  if (channel == nullptr) {
    ++state_.metrics.acceptDropped;
    return;
  }
  arrival.fd = -1;
  Endpoint& endpoint = endpoints_[id];
  ++state_.metrics.arrived;
  ++endpoint.connections;
  if (localAddress(channel->fd).family == AF_UNIX) channel->flags |= kUnixSocket;
  sockaddr_storage peer{};
  if (endpoint.gate != nullptr && peerOf(channel->fd, &peer)) {
    endpoint.gate->enter(peer, channel->token());
  }
  routes_.place(*channel, endpoint.hint);
  const ReceivedBytes note = keptForTurn(arrival.note.data(), arrival.note.size());
  const bool told = note.block != kNoBlock;
  state_.events.push(EventKind::kArrived, *channel,
                     told ? static_cast<int32_t>(state_.arena.slab(note.block)) : 0, note.block,
                     told ? state_.arena.slabOffset(note.block) : 0, note.length);
  const int attached = state_.engineOf(*channel).attach(*channel);
  if (attached != 0) {
    fail(*channel, -attached, Syscall::kAccept);
    return;
  }
  openProtocol(*channel, endpoint);
  if (endpoint.idleTimeoutMs > 0) setIdleTimeout(*channel, endpoint.idleTimeoutMs);
  if (!bringUnread(*channel, arrival) || note.length != arrival.note.size()) {
    fail(*channel, ENOMEM, Syscall::kRead);
    return;
  }
  state_.engineOf(*channel).receive(*channel);
  state_.requestAnotherTurn(*channel);
}

// False: no memory.
bool Loop::bringUnread(Channel& channel, const Arrival& arrival) {
  for (size_t at = 0; at < arrival.unread.size();) {
    const size_t piece = std::min<size_t>(arrival.unread.size() - at, kBlockBytesMax);
    const ReceivedBytes bytes = keptForTurn(arrival.unread.data() + at, piece);
    if (bytes.block == kNoBlock) return false;
    channel.protocol->received(channel, bytes, state_.nowMs);
    at += piece;
  }
  return true;
}

// A copy that lives until JavaScript has seen the turn; kNoBlock: there is nothing, or no memory.
ReceivedBytes Loop::keptForTurn(const uint8_t* data, size_t bytes) {
  if (bytes == 0) return {kNoBlock, 0, 0};
  const auto length = static_cast<uint32_t>(bytes);
  const BlockId block = state_.arena.lease(length);
  if (block == kNoBlock) return {kNoBlock, 0, 0};
  std::memcpy(state_.arena.data(block), data, bytes);
  arrivedBlocks_.push_back(block);
  return {block, 0, length};
}

int Loop::release(Channel& channel, std::vector<uint8_t>* received) {
  flush();
  if (channel.state != ChannelState::kOpen || channel.filtered != nullptr) return -EINVAL;
  if (!channel.allSent() || (channel.flags & (kSending | kMigrating))) return -EAGAIN;
  const int fd = duplicate(channel.fd);
  if (fd < 0) return fd;
  channel.flags |= kMigrating;
  state_.engineOf(channel).letGo(channel);
  if (channel.inKernel > 0) {  // it stays, and is attached again by the completion of that
    ::close(fd);
    return -EAGAIN;
  }
  if (received != nullptr) takeUndelivered(channel, received);
  channel.lifeFlags |= kHandedAway;
  destroy(channel);
  return fd;
}

// What the engines have received, and JavaScript has not been told of.
void Loop::takeUndelivered(const Channel& channel, std::vector<uint8_t>* into) {
  const auto append = [into](const uint8_t* from, uint32_t bytes) {
    into->insert(into->end(), from, from + bytes);
  };
  state_.events.forEachWaitingData(
      channel, [&](BlockId block, uint32_t slabOffset, uint32_t length) {
        append(state_.arena.data(block) + (slabOffset - state_.arena.slabOffset(block)), length);
      });
  if (faults_ != nullptr) faults_->forEachHeld(channel, append);
  for (size_t i = 0; i < state_.ready.size(); ++i) {
    const Completion& completion = state_.ready[i];
    if (completion.token != channel.token() || completion.kind != OpKind::kReceive) continue;
    if (completion.result <= 0) continue;
    append(state_.arena.data(completion.block) + completion.offset,
           static_cast<uint32_t>(completion.result));
  }
}

}  // namespace ringpoll
