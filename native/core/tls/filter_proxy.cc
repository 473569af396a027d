// PROXY headers of proxies that pass TLS through: they come before the ClientHello.
#include "core/http/parser/proxy.h"
#include "filter.h"

namespace ringpoll::tls {

// The header is gathered until it is whole. What stands behind it is `bytes` from then on; false:
// nothing does, or the connection has failed.
bool Filter::takeProxyHeader(Channel& channel, Connection& connection, ReceivedBytes* bytes) {
  Handshake& handshake = *connection.handshake;
  std::vector<uint8_t>& gathered = handshake.proxyBytes;
  const size_t before = gathered.size();
  const uint8_t* at = arena_.data(bytes->block) + bytes->offset;
  // As many as the longest header has: the rest is not its own.
  const size_t some = std::min<size_t>(bytes->length, http::kProxyV2BytesMax - before);
  gathered.insert(gathered.end(), at, at + some);
  auto header = std::make_unique<http::ProxyHeader>();
  const http::ProxyResult result =
      http::parseProxyHeader(gathered.data(), static_cast<uint32_t>(gathered.size()), header.get());
  if (result.step == http::Step::kNeedMore && gathered.size() < http::kProxyV2BytesMax) {
    return false;
  }
  if (result.step != http::Step::kDone) {
    fail(channel, connection, TlsFailure::kProxyHeader);
    return false;
  }
  connection.proxy = std::move(header);
  handshake.awaitsProxy = false;
  gathered = {};
  const auto taken = static_cast<uint32_t>(result.offset - before);
  *bytes = {bytes->block, bytes->offset + taken, bytes->length - taken};
  return bytes->length > 0;
}

const http::ProxyHeader* Filter::proxyHeader(const Channel& channel) const {
  if (channel.filtered == nullptr || &channel.filtered->filter != this) return nullptr;
  return of(channel).proxy.get();
}

}  // namespace ringpoll::tls
