#include "faults.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringpoll {

Faults::~Faults() {
  for (auto& [token, connection] : connections_) drop(connection);
  endTurn();
}

void Faults::begin(const FaultPlan& plan) {
  plan_ = plan;
  counts_ = {};
  numbered_ = 0;
  runs_ = true;
  // Connections are numbered anew; what they hold stays.
  for (auto& [token, connection] : connections_) {
    const Connection made = makeConnection();
    connection.reads = made.reads;
    connection.writes = made.writes;
  }
}

// Unlike those of the next seed, and of the next number.
Faults::Connection Faults::makeConnection() {
  SeededRandom random(SeededRandom(plan_.seed).next() + ++numbered_);
  const uint64_t reads = random.next();
  return {reads, random.next()};
}

void Faults::end() {
  runs_ = false;
  for (auto& [token, connection] : connections_) connection.dueMs = 0;
}

// nullptr: it is left alone.
Faults::Connection* Faults::connectionOf(const Channel& channel) {
  const auto found = connections_.find(channel.token());
  if (found != connections_.end()) return &found->second;
  if (!runs_ || channel.type != ChannelType::kConnection) return nullptr;
  const Endpoint* endpoint = endpoints_.find(channel.endpoint);
  const bool outgoing = endpoint != nullptr && endpoint->outgoing;
  if (plan_.side == FaultSide::kAccepted && outgoing) return nullptr;
  if (plan_.side == FaultSide::kOutgoing && !outgoing) return nullptr;
  return &connections_.emplace(channel.token(), makeConnection()).first->second;
}

// As many random numbers for every read, so that the n-th one is judged alike whatever came before.
Faults::Verdict Faults::judge(Connection& connection, uint32_t bytes, bool mayWait) {
  SeededRandom& random = connection.reads;
  const bool resets = random.chance(plan_.resets);
  const bool delays = random.chance(plan_.delays);
  const uint64_t delayMs = random.between(plan_.delayMinMs, plan_.delayMaxMs);
  const bool cuts = random.chance(plan_.shortReads);
  const uint64_t at = random.next();
  Verdict verdict{false, 0, bytes};
  if (!runs_) return verdict;
  if (resets && bytes > 0) {
    verdict.reset = true;
  } else if (delays && mayWait && delayMs > 0) {
    verdict.delayMs = static_cast<uint32_t>(delayMs);
  } else if (cuts && bytes > 1) {
    verdict.bytes = 1 + static_cast<uint32_t>(at % (bytes - 1));
  }
  return verdict;
}

bool Faults::takes(Channel& channel, Completion& completion) {
  const bool received = completion.kind == OpKind::kReceive;
  const bool ordered =
      received || completion.kind == OpKind::kHangup || completion.kind == OpKind::kDetach;
  if (!ordered || channel.state != ChannelState::kOpen) return false;
  Connection* connection = connectionOf(channel);
  if (connection == nullptr) return false;
  if (!connection->held.empty()) return hold(channel, *connection, completion);
  if (!runs_ || !received || completion.result < 0) return false;
  const auto bytes = static_cast<uint32_t>(completion.result);
  const Verdict verdict = judge(*connection, bytes, true);
  if (verdict.reset) {
    reset(channel, *connection);
    return true;
  }
  if (verdict.delayMs > 0) {
    if (!hold(channel, *connection, completion)) return false;
    ++counts_.delays;
    connection->held.front().delayed = true;
    connection->dueMs = state_.nowMs + verdict.delayMs;
    return true;
  }
  if (verdict.bytes == bytes) return false;
  Completion rest = completion;
  rest.offset += verdict.bytes;
  rest.result -= static_cast<int32_t>(verdict.bytes);
  if (!hold(channel, *connection, rest)) return false;
  ++counts_.shortReads;
  connection->turn = turn_;
  completion.result = static_cast<int32_t>(verdict.bytes);
  return false;
}

// A copy: the block of an engine is used again soon. False: no memory, and nothing waits before it.
bool Faults::hold(Channel& channel, Connection& connection, const Completion& completion) {
  Completion kept = completion;
  kept.block = kNoBlock;
  if (completion.kind == OpKind::kReceive && completion.result > 0) {
    const auto bytes = static_cast<uint32_t>(completion.result);
    kept.block = state_.arena.lease(bytes);
    if (kept.block == kNoBlock) {
      if (connection.held.empty()) return false;
      ends_.fail(channel, ENOMEM, Syscall::kRead);
      return true;
    }
    kept.offset = 0;
    std::memcpy(state_.arena.data(kept.block),
                state_.arena.data(completion.block) + completion.offset, bytes);
    connection.heldBytes += bytes;
  }
  if (connection.held.empty()) {
    holding_.push_back(channel.token());
    connection.dueMs = 0;
  }
  connection.held.push_back({kept, false});
  return true;
}

// Bytes wait as well while nobody reads.
bool Faults::waits(const Channel& channel, const Connection& connection, uint64_t nowMs) const {
  const bool paused = (channel.flags & (kPaused | kProtocolPaused)) != 0;
  const bool leaves = (channel.lifeFlags & kLeaving) != 0;
  if (paused && !leaves && connection.held.front().completion.block != kNoBlock) return true;
  return connection.dueMs > nowMs && connection.heldBytes <= kFaultHeldBytesMax;
}

// The first that waits, if it is due. False: there is none in this turn.
bool Faults::nextDue(Channel& channel, Completion* completion) {
  const auto found = connections_.find(channel.token());
  if (found == connections_.end()) return false;
  Connection& connection = found->second;
  if (connection.held.empty() || channel.state != ChannelState::kOpen) return false;
  if (connection.turn == turn_ || waits(channel, connection, state_.nowMs)) return false;
  Held& first = connection.held.front();
  *completion = first.completion;
  const BlockId block = first.completion.block;
  if (block == kNoBlock) {
    connection.held.pop_front();
    return true;
  }
  const auto bytes = static_cast<uint32_t>(first.completion.result);
  const bool mayWait = !first.delayed && connection.heldBytes <= kFaultHeldBytesMax;
  const Verdict verdict = judge(connection, bytes, mayWait);
  if (verdict.reset) {
    reset(channel, connection);
    return false;
  }
  if (verdict.delayMs > 0) {
    ++counts_.delays;
    first.delayed = true;
    connection.dueMs = state_.nowMs + verdict.delayMs;
    return false;
  }
  connection.heldBytes -= verdict.bytes;
  delivered_.push_back(block);
  if (verdict.bytes == bytes) {
    connection.held.pop_front();
    return true;
  }
  ++counts_.shortReads;
  state_.arena.addRef(block);
  completion->result = static_cast<int32_t>(verdict.bytes);
  first.completion.offset += verdict.bytes;
  first.completion.result -= completion->result;
  first.delayed = false;
  connection.turn = turn_;
  return true;
}

void Faults::forgetEmpty() {
  std::erase_if(holding_, [this](Token token) {
    const auto found = connections_.find(token);
    return found == connections_.end() || found->second.held.empty();
  });
}

int64_t Faults::untilDueMs(uint64_t nowMs) const {
  int64_t least = -1;
  for (const Token token : holding_) {
    const Channel* channel = state_.channels.find(token);
    const auto found = connections_.find(token);
    if (channel == nullptr || found == connections_.end() || found->second.held.empty()) continue;
    if (channel->state != ChannelState::kOpen) continue;
    const Connection& connection = found->second;
    const bool early = connection.dueMs <= nowMs || connection.heldBytes > kFaultHeldBytesMax;
    const auto ms = static_cast<int64_t>(early ? 0 : connection.dueMs - nowMs);
    if (early && waits(*channel, connection, nowMs)) continue;  // resume() asks for a turn
    if (least < 0 || ms < least) least = ms;
  }
  return least;
}

void Faults::willReset(Channel& channel) {
  channel.flags |= kResetOnClose;
  setResetOnClose(channel.fd);
}

void Faults::reset(Channel& channel, Connection& connection) {
  ++counts_.resets;
  drop(connection);
  willReset(channel);
  ends_.fail(channel, ECONNRESET, Syscall::kRead);
}

bool Faults::refuses(const Channel& channel) {
  Connection* connection = connectionOf(channel);
  if (connection == nullptr || !runs_) return false;
  if (!connection->reads.chance(plan_.refusals)) return false;
  ++counts_.refusals;
  return true;
}

ssize_t Faults::send(Channel& channel, const iovec* vectors, uint32_t count) {
  cutOff_ = false;
  Connection* connection = connectionOf(channel);
  if (connection == nullptr || !runs_) return state_.sockets.send(channel.fd, vectors, count);
  SeededRandom& random = connection->writes;
  const bool resets = random.chance(plan_.resets);
  const bool lacksMemory = random.chance(plan_.enobufs);
  const bool cuts = random.chance(plan_.shortWrites);
  const uint64_t at = random.next();
  if (resets) {
    ++counts_.resets;
    willReset(channel);
    return -ECONNRESET;
  }
  if (lacksMemory) {
    ++counts_.enobufs;
    return -ENOBUFS;
  }
  size_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) bytes += vectors[i].iov_len;
  if (!cuts || bytes < 2) return state_.sockets.send(channel.fd, vectors, count);
  ++counts_.shortWrites;
  const size_t most = 1 + at % (bytes - 1);
  size_t left = most;
  iovec some[kSendVectorsMax];
  uint32_t used = 0;
  while (left > 0) {
    some[used] = vectors[used];
    some[used].iov_len = std::min(some[used].iov_len, left);
    left -= some[used++].iov_len;
  }
  const ssize_t taken = state_.sockets.send(channel.fd, some, used);
  cutOff_ = taken == static_cast<ssize_t>(most);
  return taken;
}

void Faults::drop(Connection& connection) {
  for (const Held& each : connection.held) {
    if (each.completion.block != kNoBlock) state_.arena.release(each.completion.block);
  }
  connection.held.clear();
  connection.heldBytes = 0;
}

void Faults::forget(const Channel& channel) {
  const auto found = connections_.find(channel.token());
  if (found == connections_.end()) return;
  drop(found->second);
  connections_.erase(found);
}

void Faults::endTurn() {
  ++turn_;
  for (const BlockId block : delivered_) state_.arena.release(block);
  delivered_.clear();
}

}  // namespace ringpoll
