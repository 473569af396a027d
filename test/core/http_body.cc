// The body decoder and the trailer parser: what they hand out, and that they stop at their limits.
#include <string>
#include <vector>

#include "check.h"
#include "core/http/parser/body_decoder.h"
#include "core/http/parser/request_parser.h"
#include "core/http/parser/trailer_parser.h"

namespace {

using namespace ringpoll::http;

const uint8_t* bytesOf(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

struct Body {
  explicit Body(const std::string& framing, Options given = {}) : options(given) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n";
    std::vector<uint32_t> record(recordWords(4));
    HeadParser parser(options);
    parser.begin(record.data(), static_cast<uint32_t>(record.size()));
    parser.feed(bytesOf(head), static_cast<uint32_t>(head.size()));
    decoder.begin(record.data(), options);
  }
  BodyStep next(const std::string& text) {
    return decoder.next(bytesOf(text), static_cast<uint32_t>(text.size()));
  }
  // The step that ends the decoding of all of `text`.
  BodyStep last(std::string text) {
    for (;;) {
      const BodyStep step = next(text);
      if (step.kind != BodyStepKind::kData) return step;
      data += text.substr(step.offset, step.length);
      text = text.substr(step.consumed);
    }
  }

  Options options;
  BodyDecoder decoder;
  std::string data;
};

const char* const kChunked = "Transfer-Encoding: chunked";

TEST(http_body_by_length_stops_where_the_next_request_starts) {
  Body body("Content-Length: 5");
  BodyStep step = body.next("abc");
  CHECK_EQ(step.kind, BodyStepKind::kData);
  CHECK_EQ(step.length, 3);
  CHECK_EQ(step.consumed, 3);
  step = body.next("");
  CHECK_EQ(step.kind, BodyStepKind::kNeedMore);
  step = body.next("deGET /");
  CHECK_EQ(step.kind, BodyStepKind::kData);
  CHECK_EQ(step.length, 2);
  CHECK_EQ(step.consumed, 2);
  step = body.next("GET /");
  CHECK_EQ(step.kind, BodyStepKind::kEnd);
  CHECK_EQ(step.consumed, 0);
  CHECK_EQ(body.decoder.received(), 5);
}

TEST(http_body_without_length_has_ended_already) {
  Body body("Accept: */*");
  CHECK_EQ(body.next("").kind, BodyStepKind::kEnd);
}

TEST(http_body_chunks_are_handed_out_where_they_lie) {
  Body body(kChunked);
  const std::string text = "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET";
  BodyStep step = body.next(text);
  CHECK_EQ(step.kind, BodyStepKind::kData);
  CHECK_EQ(step.offset, 7);
  CHECK_EQ(step.length, 5);
  CHECK_EQ(step.consumed, 12);
  step = body.next(text.substr(12));
  CHECK_EQ(step.offset, 5);
  CHECK_EQ(step.length, 1);
  step = body.next(text.substr(12 + step.consumed));
  CHECK_EQ(step.kind, BodyStepKind::kEnd);
  CHECK_EQ(step.consumed, 7);
}

TEST(http_body_says_where_trailers_start) {
  Body body(kChunked);
  const BodyStep step = body.next("0\r\nX: 1\r\n\r\n");
  CHECK_EQ(step.kind, BodyStepKind::kTrailers);
  CHECK_EQ(step.consumed, 3);
}

TEST(http_body_limit_is_exact) {
  Options options;
  options.limits.bodyBytesMax = 10;
  Body fits(kChunked, options);
  CHECK_EQ(fits.last("6\r\nabcdef\r\n4\r\nabcd\r\n0\r\n\r\n").kind, BodyStepKind::kEnd);
  Body over(kChunked, options);
  const BodyStep step = over.last("6\r\nabcdef\r\n5\r\nabcde\r\n0\r\n\r\n");
  CHECK_EQ(step.error, HttpError::kBodyTooLarge);
  CHECK_EQ(over.data, "abcdef");
  CHECK_EQ(over.next("x").error, HttpError::kBodyTooLarge);
}

TEST(http_body_chunk_size_of_64_bits_is_no_way_round_the_limit) {
  Options options;
  options.limits.bodyBytesMax = 10;
  Body most(kChunked, options);
  CHECK_EQ(most.last("1\r\na\r\nffffffffffffffff\r\n").error, HttpError::kBodyTooLarge);
  Body more(kChunked, options);
  CHECK_EQ(more.last("10000000000000001\r\n").error, HttpError::kChunkSize);
}

TEST(http_body_extensions_of_all_chunks_count_together) {
  Options options;
  options.limits.chunkExtensionBytesMax = 8;
  Body fits(kChunked, options);
  CHECK_EQ(fits.last("1;abc\r\nx\r\n1;def\r\nx\r\n0\r\n\r\n").kind, BodyStepKind::kEnd);
  Body over(kChunked, options);
  CHECK_EQ(over.last("1;abc\r\nx\r\n1;defg\r\nx\r\n0\r\n\r\n").error,
           HttpError::kChunkExtensionsTooLarge);
}

struct Trailers {
  explicit Trailers(Options given = {}) : options(given), parser(options) {
    parser.begin(fields.data(), 8);
  }
  HeadResult feed(const std::string& text) {
    return parser.feed(bytesOf(text), static_cast<uint32_t>(text.size()));
  }
  Options options;
  std::vector<uint32_t> fields = std::vector<uint32_t>(8 * kFieldWords);
  TrailerParser parser;
};

TEST(http_trailers_are_a_table_of_fields) {
  Trailers trailers;
  const std::string text = "Digest: abc\r\nX: \r\n\r\nGET";
  CHECK_EQ(trailers.feed(text.substr(0, 9)).step, Step::kNeedMore);
  const HeadResult result = trailers.feed(text);
  CHECK_EQ(result.step, Step::kDone);
  CHECK_EQ(result.offset, text.size() - 3);
  CHECK_EQ(trailers.parser.count(), 2);
  CHECK_EQ(text.substr(trailers.fields[kFieldValueOffset], trailers.fields[kFieldValueLength]),
           "abc");
}

TEST(http_trailers_that_decide_framing_are_refused) {
  for (const char* name : {"Content-Length: 1", "transfer-encoding: chunked", "HOST: a"}) {
    Trailers trailers;
    const HeadResult result = trailers.feed("X: 1\r\n" + std::string(name) + "\r\n\r\n");
    CHECK_EQ(result.error, HttpError::kTrailerForbidden);
    CHECK_EQ(result.offset, 6);
    CHECK_EQ(trailers.feed("").error, HttpError::kTrailerForbidden);
  }
}

TEST(http_trailers_have_limits_of_their_own) {
  Options options;
  options.limits.trailersMax = 2;
  options.limits.trailerBytesMax = 20;
  Trailers many(options);
  CHECK_EQ(many.feed("A: 1\r\nB: 2\r\nC: 3\r\n\r\n").error, HttpError::kTrailersTooMany);
  Trailers large(options);
  CHECK_EQ(large.feed("A: 1234567890\r\nB: 12345\r\n\r\n").error, HttpError::kTrailersTooLarge);
  Trailers fits(options);
  CHECK_EQ(fits.feed("A: 1\r\nB: 12345\r\n\r\n").step, Step::kDone);
}

}  // namespace
