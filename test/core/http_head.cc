// The head parser's contract with its caller: what the record says, what feed() answers.
#include <string>
#include <vector>

#include "check.h"
#include "core/http/parser/request_parser.h"

namespace {

using namespace ringpoll::http;

const uint8_t* bytesOf(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

uint32_t sizeOf(const std::string& text) { return static_cast<uint32_t>(text.size()); }

// A parser with room for its record.
struct Parsing {
  explicit Parsing(Options given = {}) : options(given), parser(options) {
    parser.begin(record.data(), static_cast<uint32_t>(record.size()));
  }
  HeadResult feed(const std::string& text) { return parser.feed(bytesOf(text), sizeOf(text)); }

  Options options;
  std::vector<uint32_t> record = std::vector<uint32_t>(recordWords(100), 0xdeadbeef);
  HeadParser parser;
};

TEST(http_head_record_gives_offsets_from_the_start_of_the_head) {
  const std::string head =
      "\r\nPOST /a?b=c HTTP/1.1\r\nHost:\t example.org:80 \r\nX-Y: \r\nContent-Length: "
      "12\r\n\r\nbody";
  Parsing parsing;
  const HeadResult result = parsing.feed(head);
  CHECK_EQ(result.step, Step::kDone);
  CHECK_EQ(result.offset, head.size() - 4);
  const std::vector<uint32_t>& record = parsing.record;
  CHECK_EQ(record[kRecordHeadLength], head.size() - 4);
  CHECK_EQ(record[kRecordMethod], static_cast<uint32_t>(Method::kPost));
  CHECK_EQ(record[kRecordMethodOffset], 2);
  CHECK_EQ(record[kRecordMethodLength], 4);
  CHECK_EQ(record[kRecordTargetOffset], 7);
  CHECK_EQ(record[kRecordTargetLength], 6);
  CHECK_EQ(record[kRecordQueryOffset], 9);
  CHECK_EQ(record[kRecordHeaderCount], 3);
  CHECK_EQ(record[kRecordHostIndex], 1);
  CHECK_EQ(record[kRecordContentLengthLow], 12);
  CHECK_EQ(record[kRecordContentLengthHigh], 0);
  CHECK_EQ(record[kRecordKnownLow], 1u << kHeaderHost | 1u << kHeaderContentLength | 1u);
  CHECK_EQ(record[kRecordFlags],
           uint32_t{kFlagVersion11 | kFlagKeepAlive | kFlagHasBody | kFlagContentLength});
  const RecordView view(record.data());
  const uint32_t* host = view.find(kHeaderHost);
  CHECK_EQ(head.substr(host[kFieldNameOffset], 4), "Host");
  CHECK_EQ(host[kFieldNameLengthAndId], 4u | uint32_t{kHeaderHost} << kFieldIdShift);
  CHECK_EQ(head.substr(host[kFieldValueOffset], host[kFieldValueLength]), "example.org:80");
  CHECK_EQ(view.header(1)[kFieldValueLength], 0);
  CHECK(view.find(kHeaderCookie) == nullptr);
}

TEST(http_head_content_length_has_64_bits) {
  Options options;
  options.limits.bodyBytesMax = UINT64_MAX;
  Parsing parsing(options);
  CHECK_EQ(parsing.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n")
               .step,
           Step::kDone);
  CHECK_EQ(RecordView(parsing.record.data()).contentLength(), UINT64_MAX);
  Parsing over(options);
  CHECK_EQ(
      over.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n").error,
      HttpError::kContentLengthInvalid);
}

TEST(http_head_each_prefix_needs_more_and_the_whole_is_done) {
  const std::string head =
      "GET /path/to?query HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nX-Custom: 1\r\n\r\n";
  Parsing parsing;
  for (uint32_t length = 0; length < head.size(); length++) {
    CHECK_EQ(parsing.feed(head.substr(0, length)).step, Step::kNeedMore);
    CHECK_EQ(parsing.parser.started(), length > 0);
  }
  CHECK_EQ(parsing.feed(head).step, Step::kDone);
  CHECK_EQ(parsing.feed(head + "GET ").offset, head.size());  // asking again changes nothing
}

TEST(http_head_empty_lines_do_not_start_a_request) {
  Parsing parsing;
  CHECK_EQ(parsing.feed("\r\n\r").step, Step::kNeedMore);
  CHECK(!parsing.parser.started());
  CHECK_EQ(parsing.feed("\r\n\r\nG").step, Step::kNeedMore);
  CHECK(parsing.parser.started());
}

TEST(http_head_record_moves_along_at_any_byte) {
  const std::string head =
      "GET /path?query HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nX-Custom: 1\r\n\r\n";
  Parsing whole;
  whole.feed(head);
  const uint32_t words = recordWords(3);
  for (uint32_t cut = 0; cut < head.size(); cut++) {
    Parsing parsing;
    CHECK_EQ(parsing.feed(head.substr(0, cut)).step, Step::kNeedMore);
    std::vector<uint32_t> other(parsing.record.size(), 0xdeadbeef);
    parsing.parser.relocate(other.data());
    std::fill(parsing.record.begin(), parsing.record.end(), 0);
    CHECK_EQ(parsing.feed(head).step, Step::kDone);
    for (uint32_t word = 0; word < words; word++) CHECK_EQ(other[word], whole.record[word]);
  }
}

TEST(http_head_error_is_final) {
  Parsing parsing;
  const HeadResult first = parsing.feed("GET / HTTP/1.1\r\nA b: c\r\n\r\n");
  CHECK_EQ(first.step, Step::kError);
  CHECK_EQ(first.error, HttpError::kHeaderNameSpace);
  CHECK_EQ(first.offset, 17);
  const HeadResult again = parsing.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_EQ(again.step, Step::kError);
  CHECK_EQ(again.error, first.error);
  CHECK_EQ(again.offset, first.offset);
}

TEST(http_head_parser_can_begin_anew_after_an_error) {
  Parsing parsing;
  parsing.feed("\x16\x03\x01");
  parsing.parser.begin(parsing.record.data(), static_cast<uint32_t>(parsing.record.size()));
  CHECK_EQ(parsing.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").step, Step::kDone);
}

TEST(http_head_capacity_of_the_record_limits_the_headers) {
  Options options;
  HeadParser parser(options);
  std::vector<uint32_t> record(recordWords(2));
  parser.begin(record.data(), static_cast<uint32_t>(record.size()));
  const std::string two = "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
  CHECK_EQ(parser.feed(bytesOf(two), sizeOf(two)).step, Step::kDone);
  parser.begin(record.data(), static_cast<uint32_t>(record.size()));
  const std::string three = "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\n\r\n";
  const HeadResult result = parser.feed(bytesOf(three), sizeOf(three));
  CHECK_EQ(result.error, HttpError::kHeadersTooMany);
  CHECK_EQ(result.offset, three.find("D:"));
}

// A head of exactly the limit passes; one byte more does not, however it arrives.
TEST(http_head_limit_on_bytes_is_exact) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const auto headOf = [&](size_t size) {
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  Parsing fits;
  CHECK_EQ(fits.feed(headOf(kHeadBytesMax)).step, Step::kDone);
  Parsing over;
  const HeadResult result = over.feed(headOf(kHeadBytesMax + 1));
  CHECK_EQ(result.error, HttpError::kHeadTooLarge);
  CHECK_EQ(result.offset, kHeadBytesMax);
  Parsing partly;
  const std::string half = headOf(kHeadBytesMax + 1).substr(0, kHeadBytesMax - 1);
  CHECK_EQ(partly.feed(half).step, Step::kNeedMore);
  CHECK_EQ(partly.feed(headOf(kHeadBytesMax + 1)).error, HttpError::kHeadTooLarge);
}

TEST(http_head_limit_on_the_target_is_exact) {
  const auto requestOf = [](size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  Parsing fits;
  CHECK_EQ(fits.feed(requestOf(kTargetBytesMax)).step, Step::kDone);
  Parsing over;
  const HeadResult result = over.feed(requestOf(kTargetBytesMax + 1));
  CHECK_EQ(result.error, HttpError::kTargetTooLong);
  CHECK_EQ(result.offset, 4 + kTargetBytesMax);
}

TEST(http_head_unknown_methods_are_handed_over_on_demand) {
  Options options;
  options.unknownMethods = true;
  Parsing parsing(options);
  const std::string head = "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK_EQ(parsing.feed(head).step, Step::kDone);
  CHECK_EQ(parsing.record[kRecordMethod], 0);
  CHECK_EQ(head.substr(parsing.record[kRecordMethodOffset], parsing.record[kRecordMethodLength]),
           "BREW");
  Parsing tooLong(options);
  CHECK_EQ(tooLong.feed(std::string(kMethodBytesMax + 1, 'A') + " / HTTP/1.1\r\n\r\n").error,
           HttpError::kMethodUnknown);
}

TEST(http_head_length_is_demanded_on_demand) {
  Options options;
  options.lengthRequired = true;
  Parsing without(options);
  CHECK_EQ(without.feed("POST / HTTP/1.1\r\nHost: a\r\n\r\n").error, HttpError::kLengthRequired);
  Parsing zero(options);
  CHECK_EQ(zero.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").step, Step::kDone);
  Parsing get(options);
  CHECK_EQ(get.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").step, Step::kDone);
}

}  // namespace
