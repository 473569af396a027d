// Which protocol a connection speaks, told from its first bytes.
#include <string>

#include "check.h"
#include "core/http/parser/sniff.h"

namespace {

using namespace ringpoll::http;
using namespace std::string_literals;

Sniffed of(const std::string& bytes) {
  return sniff(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<uint32_t>(bytes.size()));
}

// Every prefix either needs more or has the answer of the whole.
void settles(const std::string& bytes, Sniffed answer) {
  bool settled = false;
  for (size_t length = 0; length <= bytes.size(); length++) {
    const Sniffed found = of(bytes.substr(0, length));
    if (found != Sniffed::kNeedMore) settled = true;
    CHECK_EQ(found, settled ? answer : Sniffed::kNeedMore);
  }
  CHECK(settled);
}

const std::string kHttp2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kProxyV2 = "\r\n\r\n\0\r\nQUIT\n"s;

TEST(http_sniff_tells_requests) {
  settles("GET / HTTP/1.1\r\n", Sniffed::kHttp1);
  settles("POST / HTTP/1.1\r\n", Sniffed::kHttp1);
  settles("PROPFIND / HTTP/1.1\r\n", Sniffed::kHttp1);
  settles("PRI * HTTP/1.1\r\n\r\nxxxxxx", Sniffed::kHttp1);
  settles("\r\nGET / HTTP/1.1\r\n", Sniffed::kHttp1);
  settles("\r\n\r\nGET / HTTP/1.1\r\n", Sniffed::kHttp1);
}

TEST(http_sniff_tells_the_http2_preface) { settles(kHttp2 + "rest", Sniffed::kHttp2); }

TEST(http_sniff_tells_a_client_hello) {
  settles("\x16\x03\x01\x02\x00\x01\x00\x01"s, Sniffed::kTls);
  settles("\x16\x03\x03\x00\xc8\x01"s, Sniffed::kTls);
  settles("\x16\x03\x03\x00\xc8\x02"s, Sniffed::kUnknown);
  settles("\x16\x02\x00\x00\xc8\x01"s, Sniffed::kUnknown);
  settles("\x16\x03\x09\x00\xc8\x01"s, Sniffed::kUnknown);
}

TEST(http_sniff_tells_the_proxy_protocol) {
  settles("PROXY TCP4 ", Sniffed::kProxyV1);
  settles(kProxyV2 + "\x21", Sniffed::kProxyV2);
}

TEST(http_sniff_gives_up_on_what_it_does_not_know) {
  settles(" GET", Sniffed::kUnknown);
  settles("\n", Sniffed::kUnknown);
  settles("\rG", Sniffed::kUnknown);
  settles("\r\n\r\n\0\r\nQUIX\n"s, Sniffed::kUnknown);
  settles("\r\n\rG", Sniffed::kUnknown);
  settles("\xff", Sniffed::kUnknown);
}

TEST(http_sniff_answers_within_its_limit) {
  for (const std::string& start : {kHttp2, kProxyV2, "PROXY "s, "\r\n\r\n\r\n"s}) {
    std::string bytes = start + std::string(kSniffBytesMax, '\0');
    CHECK(of(bytes.substr(0, kSniffBytesMax)) != Sniffed::kNeedMore);
  }
}

}  // namespace
