// How datagrams leave.
#include <algorithm>
#include <cerrno>

#include "core/base/assert.h"
#include "protocol.h"

namespace ringpoll::udp {

void Protocol::command(Channel& channel, const int32_t* words, uint64_t) {
  if (channel.protocolState == nullptr) return;
  switch (static_cast<CommandKind>(words[0])) {
    case CommandKind::kUdpSend:
      queue(channel, words);
      break;
    case CommandKind::kUdpClose:
      // What was sent before leaves before, as far as the kernel takes it.
      sendAll(channel, of(channel));
      transport_.closeNow(channel);
      break;
    default:
      break;
  }
}

// Words: block, offset in its slab, length; block of the record (kNoBlock: none), its offset.
void Protocol::queue(Channel& channel, const int32_t* words) {
  Socket& socket = of(channel);
  const auto block = static_cast<BlockId>(words[3]);
  const auto length = static_cast<uint32_t>(words[5]);
  const uint32_t offset = static_cast<uint32_t>(words[4]) - arena_.slabOffset(block);
  RP_ASSERT(arena_.contains(block, offset, length));
  Outgoing datagram{arena_.data(block) + offset, length, nullptr};
  const auto recordBlock = static_cast<BlockId>(words[6]);
  if (recordBlock != kNoBlock) {
    const uint32_t at = static_cast<uint32_t>(words[7]) - arena_.slabOffset(recordBlock);
    RP_ASSERT(arena_.contains(recordBlock, at, kRecordBytes) && at % sizeof(int32_t) == 0);
    datagram.record = reinterpret_cast<const int32_t*>(arena_.data(recordBlock) + at);
  }
  socket.outgoing.push_back(datagram);
  if (socket.dirty) return;
  socket.dirty = true;
  dirty_.push_back(channel.token());
}

void Protocol::endFlush() {
  for (Token token : dirty_) {
    Channel* channel = transport_.channelOf(token);
    if (channel == nullptr || channel->protocolState == nullptr) continue;
    Socket& socket = of(*channel);
    socket.dirty = false;
    if (channel->state == ChannelState::kOpen) sendAll(*channel, socket);
    socket.outgoing.clear();
  }
  dirty_.clear();
}

int Protocol::sendNow(Channel& channel, const uint8_t* data, uint32_t length,
                      const int32_t* record) {
  Socket& socket = of(channel);
  if (socket.blocked || !socket.outgoing.empty() || !socket.kept.empty()) return -EAGAIN;
  const Outgoing datagram{data, length, record};
  prepare(socket, &datagram, 1);
  int result = calls_.send(channel.fd, messages_, 1);
  // It may be an error of an earlier datagram, which is over by being told.
  if (result < 0 && !socketIsFull(result) && takeErrors(channel, socket) > 0) {
    result = calls_.send(channel.fd, messages_, 1);
  }
  for (Counters* counters : {&socket.counters, &all_}) {
    ++counters->sendCalls;
    counters->sent += result > 0 ? 1 : 0;
  }
  if (result > 0) channel.bytesWritten += length;
  return result > 0 ? static_cast<int>(length) : result == 0 ? -EAGAIN : result;
}

// Their memory is good until the flush is over.
void Protocol::sendAll(Channel& channel, Socket& socket) {
  const auto count = static_cast<uint32_t>(socket.outgoing.size());
  const uint32_t done =
      socket.blocked ? 0 : sendSome(channel, socket, socket.outgoing.data(), count);
  for (uint32_t i = done; i < count; ++i) keep(socket, socket.outgoing[i]);
  socket.outgoing.clear();
}

void Protocol::keep(Socket& socket, const Outgoing& datagram) {
  Kept& kept = socket.kept.emplace_back();
  kept.bytes.assign(datagram.data, datagram.data + datagram.length);
  kept.addressed = datagram.record != nullptr;
  if (kept.addressed) std::memcpy(kept.record, datagram.record, kRecordBytes);
}

void Protocol::writable(Channel& channel) {
  if (channel.state != ChannelState::kOpen || channel.protocolState == nullptr) return;
  Socket& socket = of(channel);
  socket.blocked = false;
  sendKept(channel, socket);
}

void Protocol::sendKept(Channel& channel, Socket& socket) {
  while (!socket.kept.empty() && !socket.blocked) {
    Outgoing datagrams[kSendBatchMax];
    const auto count = std::min<uint32_t>(static_cast<uint32_t>(socket.kept.size()), kSendBatchMax);
    for (uint32_t i = 0; i < count; ++i) {
      const Kept& kept = socket.kept[i];
      datagrams[i] = {kept.bytes.data(), static_cast<uint32_t>(kept.bytes.size()),
                      kept.addressed ? kept.record : nullptr};
    }
    const uint32_t done = sendSome(channel, socket, datagrams, count);
    socket.kept.erase(socket.kept.begin(), socket.kept.begin() + done);
  }
  if (socket.kept.empty()) events_.push(EventKind::kUdpDrain, channel);
}

// Sends in order: how many have left, or were refused. With fewer than `count` the socket is full.
uint32_t Protocol::sendSome(Channel& channel, Socket& socket, const Outgoing* from,
                            uint32_t count) {
  uint32_t at = 0;
  uint32_t tries = 0;  // of the first one, that have met an error
  uint32_t refused = 0;
  int refusal = 0;
  const int32_t* refusedRecord = nullptr;
  // Those that fail alike in a row are told together.
  const auto tell = [&] {
    if (refused > 0) tellError(channel, socket, refusal, Syscall::kWrite, refusedRecord, refused);
    refused = 0;
  };
  while (at < count) {
    const uint32_t batch = std::min(count - at, kSendBatchMax);
    prepare(socket, from + at, batch);
    const int result = calls_.send(channel.fd, messages_, batch);
    ++socket.counters.sendCalls;
    ++all_.sendCalls;
    if (result > 0) {
      tell();
      const auto sent = static_cast<uint32_t>(result);
      for (uint32_t i = at; i < at + sent; ++i) {
        channel.bytesWritten += from[i].length;
        left(channel, from[i]);
      }
      socket.counters.sent += sent;
      all_.sent += sent;
      at += sent;
      tries = 0;
      continue;
    }
    if (socketIsFull(result)) {
      socket.blocked = true;
      transport_.awaitRoom(channel);
      break;
    }
    // It may be an error of an earlier datagram, which is over by being told.
    const bool earlier = takeErrors(channel, socket) > 0;
    if (tries++ == 0 || (earlier && tries < kSendTriesMax)) continue;
    tries = 0;
    if (refused > 0 && refusal != -result) tell();
    if (refused++ == 0) refusedRecord = from[at].record;
    refusal = -result;
    ++socket.counters.sendDropped;
    ++all_.sendDropped;
    left(channel, from[at++]);
  }
  tell();
  return at;
}

// It waits no more.
void Protocol::left(Channel& channel, const Outgoing& datagram) {
  transport_.takeCounted(channel, datagram.length + kCountedBytes);
}

void Protocol::prepare(Socket& socket, const Outgoing* from, uint32_t count) {
  const int family = socket.settings.family;
  for (uint32_t i = 0; i < count; ++i) {
    const Outgoing& datagram = from[i];
    msghdr& header = messages_[i].header;
    vectors_[i] = {const_cast<uint8_t*>(datagram.data), datagram.length};
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = nullptr;
    header.msg_controllen = 0;
    header.msg_flags = 0;
    header.msg_name = nullptr;
    header.msg_namelen = 0;
    if (datagram.record == nullptr) continue;
    const auto port = static_cast<uint32_t>(datagram.record[kPort]);
    if ((port & 0xffff) != 0) {
      header.msg_namelen = readAddress(datagram.record, family, &addresses_[i]);
      header.msg_name = &addresses_[i];
    }
    const uint32_t segment =
        socket.settings.segments ? static_cast<uint32_t>(datagram.record[kTraits]) & 0xffff : 0;
    const bool cut = segment > 0 && datagram.length > segment;
    if (cut || (port >> kFlagsShift & kHasLocal) != 0) {
      writeControl(header, controls_[i], datagram.record, family, cut ? segment : 0);
    }
  }
}

}  // namespace ringpoll::udp
