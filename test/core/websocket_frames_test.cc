// The frame parser, the mask and the check of UTF-8, each against a plain twin.
#include "core/websocket/frame_parser.h"

#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "core/websocket/utf8.h"
#include "random.h"
#include "websocket_frames.h"
#include "websocket_model.h"

namespace {

using namespace ringpoll::websocket;
using namespace test;

FrameLimits serverLimits(uint64_t most = 1 << 20) {
  FrameLimits limits;
  limits.messageBytesMax = limits.compressedBytesMax = most;
  return limits;
}

std::string parsed(const std::string& input, const FrameLimits& limits) {
  return show(parseInPieces(input, limits, [](size_t left) { return left; }));
}
std::string parsedByteByByte(const std::string& input, const FrameLimits& limits) {
  return show(parseInPieces(input, limits, [](size_t) { return size_t{1}; }));
}

struct Case {
  const char* name;
  std::string input;
  std::string expected;
};

std::vector<Case> violations() {
  const auto raw = [](std::initializer_list<int> bytes) {
    std::string all;
    for (int byte : bytes) all += static_cast<char>(byte);
    return all;
  };
  return {
      {"a reserved bit", raw({0x90 | 1, 0x80, 0, 0, 0, 0}), "!1002"},
      {"another reserved bit", raw({0xa0 | 1, 0x80, 0, 0, 0, 0}), "!1002"},
      {"RSV1 without an extension", raw({0xc1, 0x80, 0, 0, 0, 0}), "!1002"},
      {"RSV1 of a ping", raw({0xc9, 0x80, 0, 0, 0, 0}), "!1002"},
      {"a reserved opcode", raw({0x83, 0x80, 0, 0, 0, 0}), "!1002"},
      {"a reserved control opcode", raw({0x8b, 0x80, 0, 0, 0, 0}), "!1002"},
      {"no mask", raw({0x81, 0x01, 'a'}), "!1002"},
      {"16 bits for 125", raw({0x81, 0xfe, 0, 125, 0, 0, 0, 0}), "!1002"},
      {"64 bits for 65,535", raw({0x81, 0xff, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0}), "!1002"},
      {"the top bit of a length", raw({0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}),
       "!1002"},
      {"a ping of 126 bytes", raw({0x89, 0xfe, 0, 126, 0, 0, 0, 0}), "!1002"},
      {"a ping in fragments", raw({0x09, 0x80, 0, 0, 0, 0}), "!1002"},
      {"a continuation of nothing", raw({0x80, 0x80, 0, 0, 0, 0}), "!1002"},
      {"a message in a message", frameOf(1, "a", false) + frameOf(2, "b"), "!1002"},
      {"more than allowed", raw({0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0}), "!1009"},
      {"after what was whole", frameOf(1, "hello") + raw({0x83, 0x80}), "T(hello)!1002"},
  };
}

TEST(websocket_frames_that_break_the_protocol_get_their_code) {
  for (const Case& each : violations()) {
    const std::string name = std::string(each.name) + ": ";
    CHECK_EQ(name + parsed(each.input, serverLimits()), name + each.expected);
    CHECK_EQ(name + parsedByteByByte(each.input, serverLimits()), name + each.expected);
  }
}

TEST(websocket_violation_is_told_with_the_byte_that_makes_it_one) {
  // The second byte says that there is no mask; the payload need not come.
  CHECK_EQ(parsed(std::string("\x81\x7f", 2), serverLimits()), std::string("!1002"));
  // A length above the limit is told before any byte of the payload.
  FrameLimits limits = serverLimits(100);
  CHECK_EQ(parsed(frameOf(2, std::string(101, 'x')).substr(0, 6), limits), std::string("!1009"));
}

TEST(websocket_limit_counts_all_fragments_of_a_message) {
  const FrameLimits limits = serverLimits(10);
  const std::string six(6, 'x');
  CHECK_EQ(parsed(frameOf(2, six, false) + frameOf(0, six), limits), std::string("!1009"));
  CHECK_EQ(parsed(frameOf(2, six, false) + frameOf(0, "yyyy"), limits),
           std::string("B(xxxxxxyyyy)"));
}

TEST(websocket_control_frames_may_stand_between_fragments) {
  const std::string input =
      frameOf(1, "one ", false) + frameOf(9, "p") + frameOf(0, "two", false) + frameOf(0, "");
  CHECK_EQ(parsed(input, serverLimits()), std::string("P(p)T(one two)"));
  CHECK_EQ(parsedByteByByte(input, serverLimits()), std::string("P(p)T(one two)"));
}

TEST(websocket_client_takes_no_masked_frames) {
  FrameLimits limits = serverLimits();
  limits.role = Role::kClient;
  CHECK_EQ(parsed(frameOf(1, "a"), limits), std::string("!1002"));
  CHECK_EQ(parsed(frameOf(1, "a", true, false), limits), std::string("T(a)"));
}

TEST(websocket_empty_frames_are_messages) {
  CHECK_EQ(parsed(frameOf(1, "") + frameOf(2, ""), serverLimits()), std::string("T()B()"));
  CHECK_EQ(parsed(frameOf(9, "") + frameOf(8, ""), serverLimits()), std::string("P()C()"));
}

std::string randomFrames(Random& random, bool client) {
  std::string input;
  const uint64_t count = random.between(1, 8);
  bool inMessage = false;
  for (uint64_t i = 0; i < count; ++i) {
    static constexpr size_t kLengths[] = {0, 1, 7, 125, 126, 127, 300, 65535, 65536, 70000};
    const bool control = random.oneIn(4);
    size_t length = kLengths[random.below(random.oneIn(8) ? 10 : 7)];
    int opcode;
    bool fin = true;
    if (control) {
      opcode = static_cast<int>(8 + random.below(3));
      length = std::min<size_t>(length, 125);
    } else {
      opcode = inMessage ? 0 : static_cast<int>(1 + random.below(2));
      fin = random.oneIn(2);
      inMessage = !fin;
    }
    std::string payload(length, 0);
    for (char& byte : payload) byte = static_cast<char>(random.next());
    std::string frame =
        frameOf(opcode, payload, fin, !client, static_cast<uint32_t>(random.next()));
    if (!control && opcode != 0 && random.oneIn(6)) frame[0] = static_cast<char>(frame[0] | 0x40);
    input += frame;
  }
  // Something is wrong with every fourth input, somewhere.
  if (random.oneIn(4)) {
    input[random.below(input.size())] = static_cast<char>(random.next());
  }
  if (random.oneIn(8)) input.resize(random.below(input.size()));
  return input;
}

TEST(websocket_random_frames_mean_the_same_however_they_are_split) {
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    FrameLimits limits = serverLimits(random.oneIn(4) ? 1000 : 1 << 18);
    limits.compression = random.oneIn(2);
    limits.role = random.oneIn(3) ? Role::kClient : Role::kServer;
    const std::string input = randomFrames(random, limits.role == Role::kClient);
    const std::vector<WsNote> expected = WsModel(limits).read(input);
    const uint64_t most = random.oneIn(2) ? 16 : 5000;
    const std::vector<WsNote> got = parseInPieces(
        input, limits, [&](size_t) { return static_cast<size_t>(random.between(1, most)); });
    // A violation may be told before all bytes are there that the model waits for: never otherwise.
    CHECK_EQ(show(got) + " of seed " + std::to_string(seed),
             show(expected) + " of seed " + std::to_string(seed));
  }
}

TEST(websocket_mask_in_lanes_is_the_scalar_one_at_every_length_and_place) {
  Random random(7);
  for (size_t length = 0; length <= 200; ++length) {
    for (size_t offset = 0; offset < 8; ++offset) {
      std::vector<uint8_t> bytes(offset + length + 8);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
      std::vector<uint8_t> twin = bytes;
      const auto key = static_cast<MaskKey>(random.next());
      mask(bytes.data() + offset, length, key);
      maskScalar(twin.data() + offset, length, key);
      CHECK(bytes == twin);
    }
  }
}

TEST(websocket_mask_goes_on_where_the_last_piece_ended) {
  Random random(8);
  std::vector<uint8_t> bytes(1000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  std::vector<uint8_t> twin = bytes;
  auto key = static_cast<MaskKey>(random.next());
  maskScalar(twin.data(), twin.size(), key);
  for (size_t at = 0; at < bytes.size();) {
    const size_t piece = std::min<size_t>(random.between(1, 70), bytes.size() - at);
    mask(bytes.data() + at, piece, key);
    key = keyAfter(key, piece);
    at += piece;
  }
  CHECK(bytes == twin);
}

// A character, or what looks like one, of any number.
std::string encoded(uint32_t point) {
  std::string text;
  const auto put = [&text](uint32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
  return text;
}

bool isUtf8(const std::string& text) {
  Utf8Check check;
  return check.feed(reinterpret_cast<const uint8_t*>(text.data()), text.size()) && check.complete();
}

TEST(websocket_text_is_utf8_for_every_character_and_no_surrogate) {
  for (uint32_t point = 0; point < 0x1fffff; ++point) {
    const bool valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (isUtf8(encoded(point)) != valid) CHECK_EQ(point, 0u);
  }
  CHECK(!isUtf8("\xc0\x80"));          // longer than it need be
  CHECK(!isUtf8("\xe0\x80\x80"));      // the same
  CHECK(!isUtf8("\xf0\x80\x80\x80"));  // the same
  CHECK(!isUtf8("\xe2\x82"));          // not complete
  CHECK(!isUtf8("\x80"));
  CHECK(!isUtf8("\xff"));
}

TEST(websocket_text_may_be_split_within_a_character) {
  Random random(9);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) {
      const uint32_t point =
          static_cast<uint32_t>(random.oneIn(3) ? random.below(0x110000) : random.below(0x80));
      if (point < 0xd800 || point > 0xdfff) text += encoded(point);
    }
    if (random.oneIn(2)) text[random.below(text.size())] = static_cast<char>(random.next());
    Utf8Check check;
    bool valid = true;
    for (size_t at = 0; valid && at < text.size();) {
      const size_t piece = std::min<size_t>(random.between(1, 9), text.size() - at);
      valid = check.feed(reinterpret_cast<const uint8_t*>(text.data()) + at, piece);
      at += piece;
    }
    CHECK_EQ(valid && check.complete(), isUtf8(text));
  }
}

TEST(websocket_header_says_what_the_parser_reads) {
  for (const uint64_t length : {0ull, 125ull, 126ull, 65535ull, 65536ull, 200000ull}) {
    for (const Role from : {Role::kServer, Role::kClient}) {
      uint8_t header[kHeaderBytesMax];
      const uint32_t bytes = writeHeader(header, Opcode::kBinary, false, length, from, 0x01020304);
      CHECK_EQ(bytes, headerBytes(length, from));
      FrameLimits limits = serverLimits();
      limits.role = from == Role::kServer ? Role::kClient : Role::kServer;
      FrameParser parser;
      const FrameStep step = parser.next(header, bytes, limits);
      CHECK_EQ(step.consumed, bytes);
      CHECK(length > 0 ? step.kind == FrameKind::kNeedMore : step.last);
      CHECK_EQ(parser.inFrame(), length > 0);
    }
  }
}

TEST(websocket_close_codes_are_those_of_the_registry) {
  const auto violation = [](std::string payload) {
    return readClosePayload(reinterpret_cast<const uint8_t*>(payload.data()),
                            static_cast<uint32_t>(payload.size()))
        .violation;
  };
  const auto code = [](int number) {
    return std::string{static_cast<char>(number >> 8), static_cast<char>(number)};
  };
  for (int bad : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    CHECK_EQ(violation(code(bad)), kProtocolError);
  }
  for (int good : {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999}) {
    CHECK_EQ(violation(code(good) + "why"), 0);
  }
  CHECK_EQ(violation("x"), kProtocolError);
  CHECK_EQ(violation(""), 0);
  CHECK_EQ(violation(code(1000) + "\xc3"), kInvalidText);
}

}  // namespace
