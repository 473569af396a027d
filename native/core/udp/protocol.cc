#include "protocol.h"

#include <algorithm>
#include <cerrno>

namespace ringpoll::udp {

namespace {
constexpr uint32_t kMemoryWaitMs = 10;
}

Protocol::Protocol(Arena& arena, EventWriter& events, Transport& transport, DatagramCalls& calls)
    : arena_(arena),
      events_(events),
      transport_(transport),
      calls_(calls),
      receiver_(arena, calls),
      told_{ScratchBlock(arena), ScratchBlock(arena)} {}

void Protocol::open(Channel& channel, ProtocolSettings* settings, uint64_t) {
  auto socket = std::make_unique<Socket>();
  socket->settings = static_cast<const Settings&>(*settings);
  channel.protocolState = socket.release();
}

void Protocol::closed(Channel& channel) {
  delete static_cast<Socket*>(channel.protocolState);
  channel.protocolState = nullptr;
}

const Counters* Protocol::countersOf(const Channel& channel) const {
  if (channel.protocol != this || channel.protocolState == nullptr) return nullptr;
  return &of(channel).counters;
}

// In the list of those that go on next turn.
void Protocol::wait(Channel& channel, Socket& socket) {
  socket.unfinished = true;
  if (socket.waits || (channel.flags & kPaused)) return;
  socket.waits = true;
  leftover_.push_back(channel.token());
}

void Protocol::readable(Channel& channel, uint64_t) {
  if (channel.state != ChannelState::kOpen || channel.protocolState == nullptr) return;
  Socket& socket = of(channel);
  if (socket.waits) return;  // its turn comes
  if (channel.flags & kPaused) {
    socket.unfinished = true;
    return;
  }
  receive(channel, socket);
}

void Protocol::readingPaused(Channel& channel, bool paused, uint64_t) {
  Socket& socket = of(channel);
  if (!paused && socket.unfinished) wait(channel, socket);
}

void Protocol::beginTurn(uint64_t) {
  turnDatagrams_ = 0;
  turnBytes_ = 0;
  for (size_t left = leftover_.size(); left > 0; --left) {
    Channel* channel = transport_.channelOf(leftover_.front());
    leftover_.pop_front();
    if (channel == nullptr || channel->protocolState == nullptr) continue;
    Socket& socket = of(*channel);
    socket.waits = false;
    if (channel->state != ChannelState::kOpen || (channel->flags & kPaused)) continue;
    receive(*channel, socket);
  }
}

void Protocol::receive(Channel& channel, Socket& socket) {
  uint32_t datagrams = 0;
  uint64_t bytes = 0;
  uint32_t refusals = 0;
  uint32_t kernelDropped = static_cast<uint32_t>(socket.counters.kernelDropped);
  socket.unfinished = false;
  while (true) {
    const bool used = datagrams >= kSocketDatagramsMax || bytes >= kSocketBytesMax ||
                      turnDatagrams_ >= kTurnDatagramsMax || turnBytes_ >= kTurnDatagramBytesMax;
    if (used || refusals >= kErrorsPerTurnMax) {
      wait(channel, socket);
      break;
    }
    Batch batch;
    const int result =
        receiver_.receive(channel.fd, kBatchMax, socket.settings.bytesMax, &batch, &kernelDropped);
    if (result == -EAGAIN || result == -EWOULDBLOCK) {
      // Then it may have been woken by a report whose error another call has met.
      refusals += takeErrors(channel, socket);
      if (refusals >= kErrorsPerTurnMax) wait(channel, socket);
      break;
    }
    if (result == -ENOMEM) {
      socket.unfinished = true;
      transport_.armTimer(channel, kMemoryWaitMs);
      break;
    }
    if (result < 0) {
      // An error that a datagram of ours has met. It is over by being told.
      const uint32_t told = takeErrors(channel, socket);
      if (told == 0) tellError(channel, socket, -result, Syscall::kRead, nullptr, 1);
      refusals += std::max(told, 1u);
      continue;
    }
    datagrams += batch.count;
    bytes += batch.bytes;
    turnDatagrams_ += batch.count;
    turnBytes_ += batch.bytes;
    channel.bytesRead += batch.bytes;
    for (Counters* counters : {&socket.counters, &all_}) {
      counters->received += batch.count;
      counters->truncated += batch.truncated;
      ++counters->batches;
    }
    events_.push(EventKind::kUdpPackets, channel, static_cast<int32_t>(arena_.slab(batch.block)),
                 batch.block, arena_.slabOffset(batch.block) + batch.offset, batch.count);
    // A short batch has emptied the socket, and whatever comes later is a new edge.
    if (batch.count < kBatchMax) break;
  }
  all_.kernelDropped += kernelDropped - static_cast<uint32_t>(socket.counters.kernelDropped);
  socket.counters.kernelDropped = kernelDropped;
}

uint32_t Protocol::takeErrors(Channel& channel, Socket& socket) {
  uint32_t taken = 0;
  for (; taken < kErrorsPerTurnMax; ++taken) {
    msghdr header{};
    sockaddr_storage address{};
    alignas(cmsghdr) uint8_t control[512];
    header.msg_name = &address;
    header.msg_namelen = sizeof address;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    if (calls_.receiveError(channel.fd, &header) != 0) break;
    const SocketError report = readError(header);
    if (report.error == 0) continue;
    int32_t record[kRecordWords];
    writeAddress(address, record);
    tellError(channel, socket, report.error, Syscall::kRead, record, 1);
  }
  return taken;
}

void Protocol::tellError(Channel& channel, Socket& socket, int error, Syscall syscall,
                         const int32_t* record, uint32_t count) {
  ++socket.counters.errors;
  ++all_.errors;
  const int32_t result = error | static_cast<int32_t>(syscall) << 24;
  ScratchBlock::Room room;
  if (record == nullptr || !told_[telling_].room(kRecordBytes, &room)) {
    events_.push(EventKind::kUdpError, channel, result, kNoBlock, 0, count);
    return;
  }
  std::memcpy(room.at, record, kRecordBytes);
  told_[telling_].commit(kRecordBytes);
  events_.push(EventKind::kUdpError, channel, result, arena_.slab(room.block),
               arena_.slabOffset(room.block) + room.offset, count);
}

void Protocol::endTurn() {
  receiver_.endTurn();
  telling_ = 1 - telling_;
  told_[telling_].recycle();
}

}  // namespace ringpoll::udp
