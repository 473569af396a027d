// The addon's functions for datagram sockets.
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "addon.h"
#include "core/system/udp_socket.h"
#include "core/udp/protocol.h"

namespace ringpoll {

udp::Protocol& GuestLoop::openUdp() {
  if (udp_ == nullptr) {
    auto made = std::make_unique<udp::Protocol>(loop_->arena(), loop_->eventWriter(),
                                                loop_->transport(), datagrams_);
    udp_ = made.get();
    loop_->addProtocol(std::move(made));
  }
  return *udp_;
}

void setUdpMetrics(GuestLoop& guest, Napi::Object object) {
  const udp::Counters counters = guest.udp() == nullptr ? udp::Counters{} : guest.udp()->counters();
  const auto set = [&object](const char* name, uint64_t value) {
    object.Set(name, static_cast<double>(value));
  };
  set("datagramsReceived", counters.received);
  set("datagramBatches", counters.batches);
  set("datagramsTruncated", counters.truncated);
  set("datagramsSent", counters.sent);
  set("datagramSendCalls", counters.sendCalls);
  set("datagramsRefused", counters.sendDropped);
  set("datagramsMissed", counters.kernelDropped);
  set("datagramErrors", counters.errors);
}

namespace {

// Bits of what udpOpen() is told; lib/udp/open.ts writes them.
enum OpenFlag : uint32_t {
  kReuseAddress = 1,
  kReusePort = 2,
  kIpv6Only = 4,
  kPacketInfo = 8,
  kTrafficClass = 16,
  kHopLimit = 32,
  kCoalesce = 64,
  kSegments = 128,
};

// The open socket that is named by the first two arguments.
Channel* socketOf(const Napi::CallbackInfo& info, GuestLoop& guest) {
  Channel* channel = guest.loop().find(word(info, 0), word(info, 1));
  const bool open = channel != nullptr && channel->type == ChannelType::kDatagram &&
                    channel->state == ChannelState::kOpen;
  return open ? channel : nullptr;
}

int familyOf(const Channel& channel) { return localAddress(channel.fd).family; }

// udpOpen(host, port, remoteHost|'', remotePort, flags, bytesMax, hint); the answer is in the
// control block
void Open(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  const uint32_t flags = word(info, 4);
  UdpOptions options;
  options.reuseAddress = (flags & kReuseAddress) != 0;
  options.reusePort = (flags & kReusePort) != 0;
  options.ipv6Only = (flags & kIpv6Only) != 0;
  options.packetInfo = (flags & kPacketInfo) != 0;
  options.trafficClass = (flags & kTrafficClass) != 0;
  options.hopLimit = (flags & kHopLimit) != 0;
  options.coalesce = (flags & kCoalesce) != 0;
  SocketAddress local;
  SocketAddress remote;
  const std::string host = info[0].As<Napi::String>().Utf8Value();
  const std::string remoteHost = info[2].As<Napi::String>().Utf8Value();
  const bool connected = !remoteHost.empty();
  uint32_t endpoint = 0;
  Token socket = 0;
  SocketResult result{-1, EINVAL, Syscall::kBind};
  const bool known = SocketAddress::fromIp(host, static_cast<uint16_t>(word(info, 1)), &local) &&
                     (!connected || SocketAddress::fromIp(
                                        remoteHost, static_cast<uint16_t>(word(info, 3)), &remote));
  if (known) result = openUdp(local, connected ? &remote : nullptr, options);
  if (result.fd >= 0) {
    auto settings = std::make_shared<udp::Settings>();
    settings->family = local.family();
    settings->bytesMax = word(info, 5);
    settings->segments = (flags & kSegments) != 0;
    Endpoint made;
    made.protocol = &guest->openUdp();
    made.settings = std::move(settings);
    made.hint = static_cast<EngineHint>(word(info, 6));
    result = guest->loop().addDatagram(result.fd, std::move(made), &socket, &endpoint);
  }
  reportOpened(*guest, result, endpoint, socket);
  guest->wake();
}

// udpAddress(host, port, into: Int32Array of a record) -> whether `host` is an IP address
Napi::Value Address(const Napi::CallbackInfo& info) {
  SocketAddress address;
  const bool known = SocketAddress::fromIp(info[0].As<Napi::String>().Utf8Value(),
                                           static_cast<uint16_t>(word(info, 1)), &address);
  auto into = info[2].As<Napi::Int32Array>();
  if (known && into.ElementLength() >= udp::kRecordWords) {
    udp::writeAddress(address.storage, into.Data());
  }
  return Napi::Boolean::New(info.Env(), known);
}

// udpName(record: Int32Array, local) -> { address, port, family }
Napi::Value Name(const Napi::CallbackInfo& info) {
  int32_t record[udp::kRecordWords] = {};
  const auto from = info[0].As<Napi::Int32Array>();
  if (from.ElementLength() < udp::kRecordWords) return info.Env().Undefined();
  std::memcpy(record, from.Data(), sizeof record);
  if (flag(info, 1)) {
    std::memcpy(record + udp::kAddress, record + udp::kLocal, 16);
    record[udp::kScope] = 0;
  }
  const auto flags = static_cast<uint32_t>(record[udp::kPort]) >> udp::kFlagsShift;
  SocketAddress address;
  address.length =
      udp::readAddress(record, flags & udp::kIpv4 ? AF_INET : AF_INET6, &address.storage);
  return toObject(info.Env(), addressText(address));
}

// udpSendNow(slot, generation, bytes, record|undefined) -> bytes sent or -errno
Napi::Value SendNow(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = socketOf(info, *guest);
  if (channel == nullptr) return Napi::Number::New(info.Env(), -EBADF);
  const auto bytes = info[2].As<Napi::Uint8Array>();
  const int32_t* record = nullptr;
  if (info[3].IsTypedArray()) {
    const auto words = info[3].As<Napi::Int32Array>();
    if (words.ElementLength() < udp::kRecordWords) return Napi::Number::New(info.Env(), -EINVAL);
    record = words.Data();
  }
  const int result = guest->openUdp().sendNow(*channel, bytes.Data(),
                                              static_cast<uint32_t>(bytes.ElementLength()), record);
  return Napi::Number::New(info.Env(), result);
}

// udpConnect(slot, generation, host|'', port) -> 0 or -errno; '': to no peer any more
Napi::Value Connect(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = socketOf(info, *guest);
  int result = -EBADF;
  if (channel != nullptr) {
    const std::string host = info[2].As<Napi::String>().Utf8Value();
    SocketAddress peer;
    if (host.empty()) {
      result = connectUdp(channel->fd, nullptr);
    } else if (SocketAddress::fromIp(host, static_cast<uint16_t>(word(info, 3)), &peer)) {
      result = connectUdp(channel->fd, &peer);
    } else {
      result = -EINVAL;
    }
  }
  return Napi::Number::New(info.Env(), result);
}

// udpSetOption(slot, generation, option, value) -> 0 or -errno
Napi::Value SetOption(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = socketOf(info, *guest);
  const uint32_t option = word(info, 2);
  int result = -EBADF;
  if (channel != nullptr && option < static_cast<uint32_t>(UdpOption::kCount)) {
    result = setUdpOption(channel->fd, familyOf(*channel), static_cast<UdpOption>(option),
                          signedWord(info, 3));
  }
  return Napi::Number::New(info.Env(), result);
}

// udpOption(slot, generation, option) -> its value or -errno
Napi::Value Option(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = socketOf(info, *guest);
  const uint32_t option = word(info, 2);
  int result = -EBADF;
  if (channel != nullptr && option < static_cast<uint32_t>(UdpOption::kCount)) {
    result = udpOption(channel->fd, familyOf(*channel), static_cast<UdpOption>(option));
  }
  return Napi::Number::New(info.Env(), result);
}

// udpMulticastInterface(slot, generation, interface|'') -> 0 or -errno
Napi::Value MulticastInterface(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = socketOf(info, *guest);
  const std::string interface = info[2].As<Napi::String>().Utf8Value();
  const int result = channel == nullptr
                         ? -EBADF
                         : setMulticastInterface(channel->fd, familyOf(*channel), interface);
  return Napi::Number::New(info.Env(), result);
}

// udpMembership(slot, generation, join, group, source|'', interface|'') -> 0 or -errno
Napi::Value Membership(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = socketOf(info, *guest);
  int result = -EBADF;
  if (channel != nullptr) {
    result = changeMembership(
        channel->fd, familyOf(*channel), flag(info, 2), info[3].As<Napi::String>().Utf8Value(),
        info[4].As<Napi::String>().Utf8Value(), info[5].As<Napi::String>().Utf8Value());
  }
  return Napi::Number::New(info.Env(), result);
}

// udpCounts(slot, generation, into: Float64Array): received, truncated, sent, refused, missed,
// bytes read and written
void Counts(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  const Channel* channel = socketOf(info, *guest);
  if (channel == nullptr) return;
  const udp::Counters* counters = guest->openUdp().countersOf(*channel);
  auto into = info[2].As<Napi::Float64Array>();
  if (counters == nullptr || into.ElementLength() < 7) return;
  const uint64_t counts[] = {counters->received,    counters->truncated,     counters->sent,
                             counters->sendDropped, counters->kernelDropped, channel->bytesRead,
                             channel->bytesWritten};
  for (size_t i = 0; i < 7; ++i) into[i] = static_cast<double>(counts[i]);
}

}  // namespace

void addUdpFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("udpOpen", Napi::Function::New<Open>(env));
  exports.Set("udpAddress", Napi::Function::New<Address>(env));
  exports.Set("udpName", Napi::Function::New<Name>(env));
  exports.Set("udpSendNow", Napi::Function::New<SendNow>(env));
  exports.Set("udpConnect", Napi::Function::New<Connect>(env));
  exports.Set("udpSetOption", Napi::Function::New<SetOption>(env));
  exports.Set("udpOption", Napi::Function::New<Option>(env));
  exports.Set("udpMulticastInterface", Napi::Function::New<MulticastInterface>(env));
  exports.Set("udpMembership", Napi::Function::New<Membership>(env));
  exports.Set("udpCounts", Napi::Function::New<Counts>(env));
}

}  // namespace ringpoll
