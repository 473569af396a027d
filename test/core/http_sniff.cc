// Which protocol a connection speaks, told from its first bytes.
#include <string>

#include "check.h"
#include "core/http/sniff.h"

namespace {

using namespace ringpoll::http;
using namespace std::string_literals;

Protocol of(const std::string& bytes) {
  return sniff(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<uint32_t>(bytes.size()));
}

// Every prefix either needs more or has the answer of the whole.
void settles(const std::string& bytes, Protocol answer) {
  bool settled = false;
  for (size_t length = 0; length <= bytes.size(); length++) {
    const Protocol found = of(bytes.substr(0, length));
    if (found != Protocol::kNeedMore) settled = true;
    CHECK_EQ(found, settled ? answer : Protocol::kNeedMore);
  }
  CHECK(settled);
}

const std::string kHttp2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kProxyV2 = "\r\n\r\n\0\r\nQUIT\n"s;

TEST(http_sniff_tells_requests) {
  settles("GET / HTTP/1.1\r\n", Protocol::kHttp1);
  settles("POST / HTTP/1.1\r\n", Protocol::kHttp1);
  settles("PROPFIND / HTTP/1.1\r\n", Protocol::kHttp1);
  settles("PRI * HTTP/1.1\r\n\r\nxxxxxx", Protocol::kHttp1);
  settles("\r\nGET / HTTP/1.1\r\n", Protocol::kHttp1);
  settles("\r\n\r\nGET / HTTP/1.1\r\n", Protocol::kHttp1);
}

TEST(http_sniff_tells_the_http2_preface) { settles(kHttp2 + "rest", Protocol::kHttp2); }

TEST(http_sniff_tells_a_client_hello) {
  settles("\x16\x03\x01\x02\x00\x01\x00\x01"s, Protocol::kTls);
  settles("\x16\x03\x03\x00\xc8\x01"s, Protocol::kTls);
  settles("\x16\x03\x03\x00\xc8\x02"s, Protocol::kUnknown);
  settles("\x16\x02\x00\x00\xc8\x01"s, Protocol::kUnknown);
  settles("\x16\x03\x09\x00\xc8\x01"s, Protocol::kUnknown);
}

TEST(http_sniff_tells_the_proxy_protocol) {
  settles("PROXY TCP4 ", Protocol::kProxyV1);
  settles(kProxyV2 + "\x21", Protocol::kProxyV2);
}

TEST(http_sniff_gives_up_on_what_it_does_not_know) {
  settles(" GET", Protocol::kUnknown);
  settles("\n", Protocol::kUnknown);
  settles("\rG", Protocol::kUnknown);
  settles("\r\n\r\n\0\r\nQUIX\n"s, Protocol::kUnknown);
  settles("\r\n\rG", Protocol::kUnknown);
  settles("\xff", Protocol::kUnknown);
}

TEST(http_sniff_answers_within_its_limit) {
  for (const std::string& start : {kHttp2, kProxyV2, "PROXY "s, "\r\n\r\n\r\n"s}) {
    std::string bytes = start + std::string(kSniffBytesMax, '\0');
    CHECK(of(bytes.substr(0, kSniffBytesMax)) != Protocol::kNeedMore);
  }
}

}  // namespace
