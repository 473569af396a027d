#include "sniff.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "characters.h"

namespace ringpoll::http {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv;
constexpr std::string_view kProxyV1Start = "PROXY "sv;
constexpr std::string_view kProxyV2Start = "\r\n\r\n\0\r\nQUIT\n"sv;
static_assert(kHttp2Preface.size() == kSniffBytesMax && kProxyV2Start.size() == 12);

constexpr uint32_t kClientHelloBytes = 6;  // record header and type of handshake
constexpr uint8_t kTlsMajorVersion = 3;
constexpr uint8_t kTlsMinorVersionMax = 4;
constexpr uint8_t kTlsClientHello = 1;  // RFC 8446 section 4

enum class Match : uint8_t { kNo, kPartly, kWhole };

Match startsWith(const uint8_t* data, uint32_t length, std::string_view text) {
  const size_t common = std::min<size_t>(length, text.size());
  if (std::memcmp(data, text.data(), common) != 0) return Match::kNo;
  return common == text.size() ? Match::kWhole : Match::kPartly;
}

Sniffed sniffTls(const uint8_t* data, uint32_t length) {
  if (length > 1 && data[1] != kTlsMajorVersion) return Sniffed::kUnknown;
  if (length > 2 && data[2] > kTlsMinorVersionMax) return Sniffed::kUnknown;
  if (length < kClientHelloBytes) return Sniffed::kNeedMore;
  return data[5] == kTlsClientHello ? Sniffed::kTls : Sniffed::kUnknown;
}

// Some clients send an empty line before a request.
Sniffed sniffEmptyLine(const uint8_t* data, uint32_t length) {
  switch (startsWith(data, length, kProxyV2Start)) {
    case Match::kWhole:
      return Sniffed::kProxyV2;
    case Match::kPartly:
      return Sniffed::kNeedMore;
    case Match::kNo:
      break;
  }
  if (data[1] != '\n') return Sniffed::kUnknown;
  const uint32_t start = data[2] == '\r' ? 4 : 2;
  if (start == 4 && (length > 3 && data[3] != '\n')) return Sniffed::kUnknown;
  if (length <= start) return Sniffed::kNeedMore;
  return is(data[start], kToken) ? Sniffed::kHttp1 : Sniffed::kUnknown;
}

}  // namespace

Sniffed sniff(const uint8_t* data, uint32_t length) {
  if (length == 0) return Sniffed::kNeedMore;
  if (data[0] == kTlsHandshakeRecord) return sniffTls(data, length);
  if (data[0] == '\r') return sniffEmptyLine(data, length);
  const Match http2 = startsWith(data, length, kHttp2Preface);
  if (http2 == Match::kWhole) return Sniffed::kHttp2;
  const Match proxy = startsWith(data, length, kProxyV1Start);
  if (proxy == Match::kWhole) return Sniffed::kProxyV1;
  if (http2 == Match::kPartly || proxy == Match::kPartly) return Sniffed::kNeedMore;
  return is(data[0], kToken) ? Sniffed::kHttp1 : Sniffed::kUnknown;
}

}  // namespace ringpoll::http
