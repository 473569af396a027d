// How connections fail, and what JavaScript is told of it.
#include <algorithm>
#include <cstring>

#include "filter.h"

namespace ringpoll::tls {

// An alert leaves first, if the socket takes it.
void Filter::fail(Channel& channel, Connection& connection, TlsFailure kind, const Failure& why) {
  if (connection.failed) return;
  connection.failed = true;
  if (why.alert != kNoAlert) {
    count(connection, [&why](Counters& all) {
      ++(why.alertIsPeers ? all.alertsReceived : all.alertsSent)[why.alert];
    });
  }
  if (connection.handshake != nullptr) {
    count(connection, [](Counters& all) { ++all.failures; });
  }
  tell(channel, kind, why);
  channel.closeError = kErrorTls;
  const bool silent = kind == TlsFailure::kTimeout || kind == TlsFailure::kEnded;
  if (silent || channel.sends.empty()) {
    host_.closeNow(channel);
  } else {
    host_.armFilterTimer(channel, kLastWordsMs);
    host_.closeWhenSent(channel);
  }
}

void Filter::timer(Channel& channel, uint64_t /*nowMs*/) {
  Connection& connection = of(channel);
  if (connection.failed) {
    host_.closeNow(channel);
  } else {
    fail(channel, connection, TlsFailure::kTimeout);
  }
}

// The reason, and whose connection it was: a line each.
void Filter::tell(const Channel& channel, TlsFailure kind, const Failure& why) {
  const AddressText peer = clientOf(channel);
  const std::string text = why.reason + '\n' + peer.address + '\n' + std::to_string(peer.port);
  const auto verify = static_cast<uint32_t>(std::min<long>(why.verifyResult, 255));
  pushText(EventKind::kTlsError, channel, text,
           static_cast<uint32_t>(kind) | uint32_t{why.alert} << 8 |
               (why.alertIsPeers ? 1u << 16 : 0) | verify << 24);
}

// A client behind a proxy is who its header says. A socket that was reset has no peer any more.
AddressText Filter::clientOf(const Channel& channel) {
  const Connection& connection = of(channel);
  if (connection.proxy != nullptr && connection.proxy->hasAddresses()) {
    const http::ProxyHeader& header = *connection.proxy;
    const int family = header.family == http::ProxyFamily::kInet6 ? AF_INET6 : AF_INET;
    return addressText(family, header.source, header.sourcePort);
  }
  if (connection.handshake != nullptr) return addressText(connection.handshake->peer);
  return channel.fd >= 0 ? remoteAddress(channel.fd) : AddressText{};
}

void Filter::pushText(EventKind kind, const Channel& channel, std::string_view text,
                      uint32_t aux0) {
  const auto bytes = static_cast<uint32_t>(std::min<size_t>(text.size(), kBlockBytesMax));
  const BlockId block = arena_.lease(std::max(bytes, 1u));
  if (block == kNoBlock) return;
  std::memcpy(arena_.data(block), text.data(), bytes);
  texts_.push_back(block);
  events_.push(kind, channel, static_cast<int32_t>(arena_.slab(block)), aux0,
               arena_.slabOffset(block), bytes);
}

}  // namespace ringpoll::tls
