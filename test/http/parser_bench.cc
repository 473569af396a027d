// Nanoseconds per request head, for the vector parser and its scalar twin:
//
//   c++ -std=c++20 -O2 -I native test/http/parser_bench.cc \
//     native/core/http/parser/{body_decoder,errors,framing,methods,request_parser,target}.cc \
//     -o build/parser_bench
//
// Each round parses a buffer of different requests of one kind back to back, as pipelining does;
// the best of several rounds is printed, because the machine is rarely quiet.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/http/parser/body_decoder.h"
#include "core/http/parser/request_parser.h"

namespace {

using ringpoll::http::BodyDecoder;
using ringpoll::http::BodyStepKind;
using ringpoll::http::Options;
using ringpoll::http::Step;

constexpr uint32_t kRequests = 16;
constexpr uint32_t kRoundMs = 60;
constexpr uint32_t kRounds = 15;

std::string smallRequest(uint32_t i) {
  return "GET /plaintext" + std::string(i % 4, 'x') + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
}

std::string browserRequest(uint32_t i) {
  std::string request =
      "GET /shop/articles/" + std::to_string(i * 7919) +
      "?utm_source=newsletter&page=2 HTTP/1.1\r\n"
      "Host: www.example.com\r\n"
      "Connection: keep-alive\r\n"
      "Cache-Control: max-age=0\r\n"
      "Upgrade-Insecure-Requests: 1\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
      "Gecko) Chrome/126.0.0.0 Safari/537.36\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
      "image/webp,*/*;q=0.8\r\n"
      "Sec-Fetch-Site: same-origin\r\n"
      "Sec-Fetch-Mode: navigate\r\n"
      "Referer: https://www.example.com/shop/articles?page=1\r\n"
      "Accept-Encoding: gzip, deflate, br, zstd\r\n"
      "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
      "Cookie: session=";
  request += std::string(90 + i % 7, static_cast<char>('a' + i % 26));
  return request + "\r\n\r\n";
}

std::string customRequest(uint32_t i) {
  std::string request = "POST /api/v1/items HTTP/1.1\r\nHost: api.internal\r\n";
  for (uint32_t j = 0; j < 10; j++) {
    request += "X-Custom-Header-" + std::to_string(j + i) + ": value-" + std::to_string(j) + "\r\n";
  }
  return request + "\r\n";
}

template <typename Parser>
double nanosecondsPerRequest(const std::string& input, const Options& options) {
  std::vector<uint32_t> record(ringpoll::http::recordWords(100));
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  Parser parser(options);
  double best = 1e9;
  for (uint32_t round = 0; round < kRounds; round++) {
    uint64_t requests = 0;
    const auto start = std::chrono::steady_clock::now();
    double elapsed = 0;
    do {
      for (uint32_t repeat = 0; repeat < 64; repeat++) {
        uint32_t at = 0;
        while (at < input.size()) {
          parser.begin(record.data(), static_cast<uint32_t>(record.size()));
          const auto result = parser.feed(bytes + at, static_cast<uint32_t>(input.size()) - at);
          if (result.step != Step::kDone) std::abort();
          at += result.offset;
          requests++;
        }
      }
      elapsed = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start)
                    .count();
    } while (elapsed < kRoundMs * 1e6);
    best = std::min(best, elapsed / static_cast<double>(requests));
  }
  return best;
}

void measure(const char* name, std::string (*make)(uint32_t)) {
  const Options options;
  std::string input;
  for (uint32_t i = 0; i < kRequests; i++) input += make(i);
  const double fast = nanosecondsPerRequest<ringpoll::http::HeadParser>(input, options);
  const double scalar = nanosecondsPerRequest<ringpoll::http::ScalarHeadParser>(input, options);
  std::printf("%-10s %4zu bytes  vector %6.1f ns  scalar %6.1f ns\n", name,
              input.size() / kRequests, fast, scalar);
}

void measureChunks() {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string body;
  for (uint32_t i = 0; i < 1000; i++) body += "40\r\n" + std::string(64, 'x') + "\r\n";
  body += "0\r\n\r\n";
  const Options options;
  std::vector<uint32_t> record(ringpoll::http::recordWords(8));
  ringpoll::http::HeadParser parser(options);
  parser.begin(record.data(), static_cast<uint32_t>(record.size()));
  parser.feed(reinterpret_cast<const uint8_t*>(head.data()), static_cast<uint32_t>(head.size()));
  double best = 1e9;
  for (uint32_t round = 0; round < 200; round++) {
    BodyDecoder decoder;
    decoder.begin(record.data(), options);
    const auto start = std::chrono::steady_clock::now();
    const auto* at = reinterpret_cast<const uint8_t*>(body.data());
    uint32_t left = static_cast<uint32_t>(body.size());
    for (;;) {
      const auto step = decoder.next(at, left);
      at += step.consumed;
      left -= step.consumed;
      if (step.kind == BodyStepKind::kEnd) break;
      if (step.kind != BodyStepKind::kData) std::abort();
    }
    const auto elapsed = std::chrono::steady_clock::now() - start;
    best = std::min(best, std::chrono::duration<double, std::nano>(elapsed).count() / 1000);
  }
  std::printf("chunks of 64 bytes: %.1f ns each\n", best);
}

}  // namespace

int main() {
  measure("small", smallRequest);
  measure("browser", browserRequest);
  measure("custom", customRequest);
  measureChunks();
  return 0;
}
