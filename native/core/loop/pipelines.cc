#include "pipelines.h"

#include <algorithm>
#include <cerrno>

#include "core/base/assert.h"

namespace ringpoll {

namespace {

constexpr uint16_t kTakesNoMore = kWriteEnding | kWriteEnded | kCloseWhenSent;
constexpr uint16_t kNotRead = kPaused | kProtocolPaused | kReadEnded | kCloseWhenSent | kMigrating;

// What splice(2) says of sockets that it cannot serve.
bool cannotSplice(ssize_t result) {
  return result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP;
}

}  // namespace

Pipelines::Flow& Pipelines::flowFrom(const Channel& channel) {
  Link& link = linkOf(channel);
  return link.flows[link.flows[0].from == channel.token() ? 0 : 1];
}

Pipelines::Flow& Pipelines::flowTo(const Channel& channel) {
  Link& link = linkOf(channel);
  return link.flows[link.flows[0].to == channel.token() ? 0 : 1];
}

PipeRefusal Pipelines::refusal(const Channel& channel, const Protocol& raw) const {
  if (channel.state != ChannelState::kOpen) return PipeRefusal::kClosed;
  if (channel.protocol == this) return PipeRefusal::kPiped;
  if (channel.protocol != &raw || !channel.known()) return PipeRefusal::kProtocol;
  return channel.flags & kTakesNoMore ? PipeRefusal::kEnded : PipeRefusal::kNone;
}

void Pipelines::join(Channel& first, Channel& second, PipeWay way) {
  auto link = std::make_unique<Link>();
  link->way = way;
  link->flows[0].from = link->flows[1].to = first.token();
  link->flows[0].to = link->flows[1].from = second.token();
  first.protocolState = link.get();
  second.protocolState = link.release();  // closed() of the second one takes it back
  const bool direct = first.filtered == nullptr && second.filtered == nullptr;
  for (Channel* channel : {&first, &second}) {
    channel->protocol = this;
    if (direct) channel->engineFlags |= kTellsReadable;
    channel->flags &= ~(kPaused | kProtocolPaused | kCorked);
    sender_.markDirty(*channel);
    routes_.receiveIfWanted(*channel);
  }
}

// The other side, while it takes bytes.
Channel* Pipelines::taker(const Flow& flow) {
  Channel* to = state_.channels.find(flow.to);
  if (to == nullptr || to->state != ChannelState::kOpen) return nullptr;
  return to->flags & kTakesNoMore ? nullptr : to;
}

// No more is read until what waits has left; see sendProgressed().
void Pipelines::hold(Channel& from, Channel& to) {
  to.flags |= kProtocolWaits;
  transport_.pauseReading(from, true);
}

void Pipelines::sendProgressed(Channel& to) {
  const bool low =
      to.filtered == nullptr ? to.sends.empty() : transport_.unsentBytes(to) <= kPipedBytesMax / 2;
  if (!low) return;
  to.flags &= ~kProtocolWaits;
  Channel* from = state_.channels.find(flowTo(to).from);
  if (from != nullptr && from->state == ChannelState::kOpen) transport_.pauseReading(*from, false);
}

void Pipelines::received(Channel& from, const ReceivedBytes& bytes, uint64_t) {
  Flow& flow = flowFrom(from);
  Channel* to = taker(flow);
  if (to == nullptr) return;  // it is over, and JavaScript ends this one
  flow.bytes += bytes.length;
  transport_.queueBytes(*to, bytes.block, bytes.offset, bytes.length);
  if (transport_.unsentBytes(*to) > kPipedBytesMax) hold(from, *to);
}

void Pipelines::peerEnded(Channel& from) {
  if (Channel* to = taker(flowFrom(from))) transport_.endWhenSent(*to);
}

void Pipelines::readable(Channel& from, uint64_t) {
  from.engineFlags |= kReadable;  // until a read has come up short
  if (turnBytes_ < kPipedTurnBytesMax) {
    move(from);
  } else {
    waitInLine(from, flowFrom(from));
  }
}

void Pipelines::waitInLine(Channel& from, Flow& flow) {
  if (flow.inLine) return;
  flow.inLine = true;
  line_.push_back(from.token());
}

void Pipelines::beginTurn(uint64_t) {
  turnBytes_ = 0;
  served_.swap(line_);
  size_t next = 0;
  for (; next < served_.size() && turnBytes_ < kPipedTurnBytesMax; ++next) {
    Channel* from = state_.channels.find(served_[next]);
    if (from == nullptr || from->protocol != this || from->protocolState == nullptr) continue;
    flowFrom(*from).inLine = false;
    if (from->engineFlags & kReadable) move(*from);
  }
  // Who had no turn comes before those who have more.
  line_.insert(line_.begin(), served_.begin() + static_cast<ptrdiff_t>(next), served_.end());
  served_.clear();
}

void Pipelines::move(Channel& from) {
  if (from.state != ChannelState::kOpen || (from.flags & kNotRead)) return;
  Link& link = linkOf(from);
  Flow& flow = flowFrom(from);
  Channel* to = taker(flow);
  if (to == nullptr) {
    transport_.pauseReading(from, true);  // its close comes from JavaScript
    return;
  }
  if (!to->sends.empty() || (to->flags & kSending)) {
    hold(from, *to);
    return;
  }
  PipeChoice::Burst burst;
  if (link.way == PipeWay::kAuto) burst = choice_.begin(flow.burst);
  if (link.way == PipeWay::kSplice) burst.spliced = true;
  const uint32_t moved = burst.spliced ? splice(from, *to, flow) : copy(from, *to, flow);
  if (link.way == PipeWay::kAuto) choice_.end(burst, moved);
  flow.burst += (static_cast<int32_t>(moved) - static_cast<int32_t>(flow.burst)) / 4;
  turnBytes_ += moved;
  if ((from.engineFlags & kReadable) && !(from.flags & kNotRead)) waitInLine(from, flow);
}

void Pipelines::took(Channel& from, Flow& flow, uint32_t bytes) {
  flow.bytes += bytes;
  from.bytesRead += bytes;
  from.activeMs = static_cast<uint32_t>(state_.nowMs);
  ++state_.metrics.receives;
  state_.metrics.bytesRead += bytes;
}

// The end, or an error: told as that of any other connection.
void Pipelines::ended(Channel& from, ssize_t result) {
  from.engineFlags &= ~(kReadable | kWantReceive);
  state_.ready.push(from.token(), OpKind::kReceive, static_cast<int32_t>(result));
}

uint32_t Pipelines::copy(Channel& from, Channel& to, Flow& flow) {
  uint32_t moved = 0;
  ReceiveBuffers::Room room;
  while (moved < kConnectionBytesMax && state_.buffers.room(&room)) {
    const ssize_t n = state_.sockets.receive(from.fd, room.at, room.bytes);
    if (socketIsFull(n)) {
      ++state_.metrics.receivesEmpty;
      from.announced = 0;
      from.engineFlags &= ~(kReadable | kHangup);
      break;
    }
    if (n <= 0) {
      ended(from, n);
      break;
    }
    const auto bytes = static_cast<uint32_t>(n);
    took(from, flow, bytes);
    moved += bytes;
    from.announced -= std::min(from.announced, bytes);
    // As readiness.cc has it: see there when a short read has emptied the socket.
    const bool emptied = bytes < room.bytes && from.announced == 0 && !(from.flags & kUnixSocket) &&
                         !(from.engineFlags & kHangup);
    if (emptied) from.engineFlags &= ~kReadable;
    const uint32_t left = sender_.sendPiped(to, room.at, bytes);
    if (to.state != ChannelState::kOpen) break;
    if (left > 0) {
      state_.buffers.commit(bytes);
      transport_.queueBytes(to, room.block, room.offset + bytes - left, left);
      hold(from, to);
      break;
    }
    if (emptied) break;
  }
  return moved;
}

uint32_t Pipelines::splice(Channel& from, Channel& to, Flow& flow) {
  RP_ASSERT(flow.inPipe == 0 && !flow.pipe.isOpen());
  flow.pipe = pipes_.take();
  if (!flow.pipe.isOpen()) return copy(from, to, flow);
  uint32_t moved = 0;
  bool cannot = false;
  while (moved < kSplicedBytesMax) {
    const ssize_t n = state_.sockets.splice(from.fd, flow.pipe.write, flow.pipe.bytes);
    if (socketIsFull(n)) {  // the pipe is empty, so the socket is
      ++state_.metrics.receivesEmpty;
      from.announced = 0;
      from.engineFlags &= ~(kReadable | kHangup);
      break;
    }
    cannot = cannotSplice(n);
    if (cannot) break;
    if (n <= 0) {
      ended(from, n);
      break;
    }
    const auto bytes = static_cast<uint32_t>(n);
    took(from, flow, bytes);
    flow.spliced += bytes;
    state_.metrics.bytesSpliced += bytes;
    moved += bytes;
    flow.inPipe = bytes;
    pending_[to.slot] += bytes;
    if (drain(to, flow)) continue;
    if (to.state == ChannelState::kOpen) {
      state_.queues.pushFile(to.sends, kPipedRange);
      sender_.markDirty(to);
      hold(from, to);
    }
    return moved;
  }
  pipes_.give(flow.pipe);
  flow.pipe = Pipe{};
  if (cannot) {
    linkOf(from).way = PipeWay::kCopy;
    return copy(from, to, flow);
  }
  return moved;
}

// True: nothing is left in the pipe. False: `to` is full, or over.
bool Pipelines::drain(Channel& to, Flow& flow) {
  while (flow.inPipe > 0) {
    ++state_.metrics.sends;
    const ssize_t n = state_.sockets.splice(flow.pipe.read, to.fd, flow.inPipe);
    if (n > 0) {
      flow.inPipe -= static_cast<uint32_t>(n);
      sender_.countSent(to, static_cast<uint64_t>(n));
      continue;
    }
    if (!socketIsFull(n) && !kernelLacksMemory(n)) {
      ends_.fail(to, n == 0 ? EPIPE : static_cast<int>(-n), Syscall::kWrite);
    }
    return false;
  }
  return true;
}

bool Pipelines::sendPiped(Channel& to) {
  Flow& flow = flowTo(to);
  RP_ASSERT(flow.pipe.isOpen());
  if (!drain(to, flow)) {
    if (to.state == ChannelState::kOpen) {
      ++state_.metrics.sendsPartial;
      sender_.handOver(to);
    }
    return false;
  }
  pipes_.give(flow.pipe);
  flow.pipe = Pipe{};
  state_.queues.popFile(to.sends);
  return true;
}

void Pipelines::dropPipe(Flow& flow) {
  if (flow.pipe.isOpen()) pipes_.discard(flow.pipe);
  flow.pipe = Pipe{};
  flow.inPipe = 0;
}

void Pipelines::closed(Channel& channel) {
  dropPipe(flowTo(channel));
  if (!stopped_) {
    const Flow& flow = flowFrom(channel);
    state_.events.push(EventKind::kPiped, channel, static_cast<int32_t>(flow.spliced >> 32),
                       static_cast<uint32_t>(flow.spliced), static_cast<uint32_t>(flow.bytes),
                       static_cast<uint32_t>(flow.bytes >> 32));
  }
  Link& link = linkOf(channel);
  channel.protocolState = nullptr;
  if (--link.open > 0) return;
  for (Flow& each : link.flows) dropPipe(each);
  const std::unique_ptr<Link> last(&link);
}

}  // namespace ringpoll
