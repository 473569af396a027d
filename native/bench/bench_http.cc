// The parser of request heads: requests of one kind back to back, as pipelining sends them.
#include <string>

#include "bench_cases.h"
#include "core/http/parser/request_parser.h"

namespace ringpoll::bench {

namespace {

constexpr uint32_t kRequests = 16;
constexpr uint32_t kHeadersMax = 100;

std::string smallRequest(uint32_t i) {
  return "GET /item/" + std::to_string(i) + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
}

std::string browserRequest(uint32_t i) {
  return "GET /catalogue/page/" + std::to_string(i * 977) +
         "?order=price&size=40 HTTP/1.1\r\n"
         "Host: shop.example\r\n"
         "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
         "Accept-Language: de,en-GB;q=0.7,en;q=0.3\r\n"
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"
         "Connection: keep-alive\r\n"
         "Referer: https://shop.example/catalogue\r\n"
         "Upgrade-Insecure-Requests: 1\r\n"
         "Sec-Fetch-Dest: document\r\n"
         "Sec-Fetch-Mode: navigate\r\n"
         "Sec-Fetch-Site: same-origin\r\n"
         "Cookie: session=" +
         std::string(96, static_cast<char>('a' + i % 26)) + "\r\n\r\n";
}

Sample parse(uint32_t operations, std::string (*request)(uint32_t)) {
  std::string input;
  for (uint32_t i = 0; i < kRequests; ++i) input += request(i);
  std::vector<uint32_t> record(http::recordWords(kHeadersMax));
  const http::Options options;
  http::HeadParser parser(options);
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  const auto length = static_cast<uint32_t>(input.size());
  uint64_t parsed = 0;
  uint32_t at = 0;
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    parser.begin(record.data(), static_cast<uint32_t>(record.size()));
    const http::HeadResult result = parser.feed(bytes + at, length - at);
    if (result.step != http::Step::kDone) return fail("a valid request was refused");
    parsed += result.offset;
    at += result.offset;
    if (at == length) at = 0;
  }
  keep(record[0]);
  return {watch.elapsedNs(), parsed, ""};
}

}  // namespace

Sample parseSmall(uint32_t operations, const Threads&) { return parse(operations, smallRequest); }

Sample parseBrowser(uint32_t operations, const Threads&) {
  return parse(operations, browserRequest);
}

}  // namespace ringpoll::bench
