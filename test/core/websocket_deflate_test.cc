// permessage-deflate: what is compressed once, what is inflated, and how much of it.
#include "core/websocket/deflate.h"

#include <string>
#include <vector>

#include "check.h"
#include "random.h"
#include "websocket_fixture.h"

namespace {

using namespace test;

#define NEED_ZLIB() \
  if (!loadZlib()) SKIP("no zlib to load")

std::string withRsv1(std::string frame) {
  frame[0] = static_cast<char>(frame[0] | 0x40);
  return frame;
}

ws::DeflateParameters parametersOf(bool dedicated = false, uint8_t bits = 15) {
  ws::DeflateParameters parameters;
  parameters.on = true;
  parameters.dedicated = parameters.ownTakeover = parameters.peerTakeover = dedicated;
  parameters.ownBits = bits;
  parameters.thresholdBytes = 1;
  return parameters;
}

// Words with some repetition, as messages have.
std::string prose(Random& random, size_t bytes) {
  static const char* const kWords[] = {"stream ", "frame ", "{\"id\":", "turn ",
                                       "\xc3\xa9t\xc3\xa9 "};
  std::string text;
  while (text.size() < bytes) text += kWords[random.below(std::size(kWords))];
  return text;
}

struct Bench {
  std::string compress(ws::Deflater& deflater, const std::string& text, bool keep) {
    std::vector<ReceivedBytes> pieces;
    std::vector<BlockId> blocks;
    const bool done =
        deflater.compress(arena, scratch, reinterpret_cast<const uint8_t*>(text.data()),
                          text.size(), 14, keep, &pieces, &blocks);
    std::string all;
    for (const ReceivedBytes& piece : pieces) {
      all.append(reinterpret_cast<const char*>(arena.data(piece.block)) + piece.offset,
                 piece.length);
    }
    for (BlockId block : blocks) arena.release(block);
    scratch.recycle();
    return done ? all.substr(14) : "failed";
  }
  uint16_t inflate(ws::Inflater& inflater, const std::string& data, uint64_t most, bool keep,
                   std::string* out, Random* random = nullptr) {
    std::vector<ReceivedBytes> pieces;
    for (size_t at = 0; at < data.size();) {
      const size_t length = random == nullptr
                                ? data.size()
                                : std::min<size_t>(random->between(1, 3000), data.size() - at);
      const std::string part = data.substr(at, std::min<size_t>(length, kBlockBytesMax));
      pieces.push_back(
          {arena.lease(static_cast<uint32_t>(part.size())), 0, static_cast<uint32_t>(part.size())});
      std::memcpy(arena.data(pieces.back().block), part.data(), part.size());
      at += part.size();
    }
    std::vector<ReceivedBytes> inflated;
    const uint16_t code = inflater.inflate(scratch, arena, pieces, most, keep, &inflated);
    out->clear();
    for (const ReceivedBytes& piece : inflated) {
      out->append(reinterpret_cast<const char*>(arena.data(piece.block)) + piece.offset,
                  piece.length);
    }
    peak = arena.stats().peak;
    for (const ReceivedBytes& piece : pieces) arena.release(piece.block);
    scratch.recycle();
    return code;
  }

  MallocSlabs slabs;
  Arena arena{slabs, true};
  ScratchBlock scratch{arena};
  uint32_t peak = 0;
};

TEST(websocket_deflate_gives_back_what_it_got) {
  NEED_ZLIB();
  Random random(5);
  for (const bool keep : {false, true}) {
    for (const uint8_t bits : {8, 9, 15}) {
      Bench bench;
      auto deflater = ws::Deflater::make(parametersOf(keep, bits));
      auto inflater = ws::Inflater::make();
      CHECK(deflater != nullptr && inflater != nullptr);
      for (const size_t bytes : {1, 50, 5000, 60'000, 300'000, 1'500'000}) {
        for (const bool noise : {false, true}) {
          std::string text = prose(random, bytes);
          if (noise) {
            for (char& byte : text) byte = static_cast<char>(random.next());
          }
          const std::string small = bench.compress(*deflater, text, keep);
          CHECK(noise || bytes < 5000 || small.size() < text.size() / 2);
          std::string back;
          CHECK_EQ(bench.inflate(*inflater, small, text.size(), keep, &back, &random), 0);
          CHECK(back == text);
        }
      }
    }
  }
}

TEST(websocket_kept_context_makes_the_next_message_smaller) {
  NEED_ZLIB();
  Random random(6);
  Bench bench;
  const std::string text = prose(random, 2000) + std::to_string(random.next());
  auto kept = ws::Deflater::make(parametersOf(true));
  const size_t first = bench.compress(*kept, text, true).size();
  const size_t second = bench.compress(*kept, text, true).size();
  CHECK(second < first / 3);
  auto fresh = ws::Deflater::make(parametersOf());
  CHECK_EQ(bench.compress(*fresh, text, false).size(), bench.compress(*fresh, text, false).size());
}

TEST(websocket_bomb_is_refused_before_it_is_in_memory) {
  NEED_ZLIB();
  Bench bench;
  auto deflater = ws::Deflater::make(parametersOf());
  // 64 MB of zeros, in 64 KB.
  const std::string bomb = bench.compress(*deflater, std::string(64 << 20, '\0'), false);
  CHECK(bomb.size() < 128 * 1024);
  Bench other;
  auto inflater = ws::Inflater::make();
  std::string out;
  CHECK_EQ(other.inflate(*inflater, bomb, 1 << 20, false, &out), ws::kTooBig);
  CHECK(out.size() <= 1 << 20);
  CHECK(other.peak <= 8);  // blocks of 256 KB
  // The shared inflater is as new for the next connection.
  const std::string small = bench.compress(*deflater, "hello", false);
  CHECK_EQ(other.inflate(*inflater, small, 5, false, &out), 0);
  CHECK_EQ(out, std::string("hello"));
  CHECK_EQ(other.inflate(*inflater, small, 4, false, &out), ws::kTooBig);
  CHECK_EQ(other.inflate(*inflater, "\xff\xff\xff\xff", 100, false, &out), ws::kInvalidText);
  CHECK_EQ(other.inflate(*inflater, std::string(1, '\0'), 100, false, &out), 0);
  CHECK_EQ(out, std::string());
}

EACH_ENGINE(websocket_compressed_messages_are_inflated_and_checked) {
  NEED_ZLIB();
  WsReal server(engine);
  server.settings.deflate = parametersOf();
  server.settings.maxPayload = 1 << 20;
  START_OR_SKIP(server);
  Bench bench;
  Random random(11);
  auto deflater = ws::Deflater::make(parametersOf());
  const std::string text = prose(random, 40'000);
  const std::string small = bench.compress(*deflater, text, false);
  Peer peer;
  server.accept(peer);
  peer.write(withRsv1(frameOf(1, small)) + frameOf(1, "plain"));
  // In fragments: the first alone says that it is compressed.
  peer.write(withRsv1(frameOf(1, small.substr(0, 100), false)) + frameOf(9, "") +
             frameOf(0, small.substr(100)));
  CHECK(server.until([&] { return server.messages.size() == 3; }));
  CHECK(server.messages[0].bytes == text);
  CHECK(server.messages[1].bytes == "plain");
  CHECK(server.messages[2].bytes == text);
  CHECK_EQ(server.protocol->counters().inflations, 2u);

  peer.write(withRsv1(frameOf(1, bench.compress(*deflater, "\xff\xfe", false))));
  CHECK(server.until([&] { return server.closings.size() == 1; }));
  CHECK_EQ(server.closings[0], closing(WsClosingCause::kViolation, 1007));
  Peer bomber;
  server.accept(bomber);
  bomber.write(withRsv1(frameOf(2, bench.compress(*deflater, std::string(8 << 20, '\0'), false))));
  CHECK(server.until([&] { return server.closings.size() == 2; }));
  CHECK_EQ(server.closings[1], closing(WsClosingCause::kViolation, 1009));
}

// Many small bombs, each within the limit of a message.
EACH_ENGINE(websocket_inflation_of_one_connection_in_a_turn_is_bounded) {
  NEED_ZLIB();
  WsReal server(engine);
  server.settings.deflate = parametersOf();
  START_OR_SKIP(server);
  Bench bench;
  auto deflater = ws::Deflater::make(parametersOf());
  const std::string half = bench.compress(*deflater, std::string(512 << 10, '\0'), false);
  std::string sent;
  for (int i = 0; i < 40; ++i) sent += withRsv1(frameOf(2, half));
  Peer peer;
  server.accept(peer);
  size_t at = 0;
  size_t before = 0;
  size_t most = 0;
  CHECK(server.until([&] {
    at += peer.write(sent, at);
    most = std::max(most, server.messages.size() - before);
    before = server.messages.size();
    return before == 40;
  }));
  CHECK(most >= 1 && most <= 2);
}

std::string inflatedFrames(const std::string& bytes, size_t count, bool keep) {
  Bench bench;
  auto inflater = ws::Inflater::make();
  std::string all;
  std::string input = bytes;
  auto* data = reinterpret_cast<uint8_t*>(input.data());
  auto left = static_cast<uint32_t>(input.size());
  ws::FrameLimits limits;
  limits.role = ws::Role::kClient;
  limits.compression = true;
  limits.messageBytesMax = limits.compressedBytesMax = 1 << 20;
  ws::FrameParser parser;
  for (size_t i = 0; i < count; ++i) {
    const ws::FrameStep step = parser.next(data, left, limits);
    if (step.kind != ws::FrameKind::kData || !step.last || !step.compressed) return "no frame";
    std::string out;
    const std::string payload(reinterpret_cast<const char*>(data) + step.offset, step.length);
    if (bench.inflate(*inflater, payload, 1 << 20, keep, &out) != 0) return "no deflate";
    all += out;
    data += step.consumed;
    left -= step.consumed;
  }
  return left == 0 ? all : "more";
}

EACH_ENGINE(websocket_publish_is_compressed_once) {
  NEED_ZLIB();
  WsReal server(engine);
  server.settings.deflate = parametersOf();
  server.settings.deflate.thresholdBytes = 1024;
  START_OR_SKIP(server);
  Random random(12);
  const std::string text = prose(random, 20'000);
  std::vector<Peer> peers(50);
  for (Peer& peer : peers) {
    const Name name = server.accept(peer);
    server.protocol->subscribe(server.channel(name), "t");
  }
  const auto publish = [&](const std::string& message) {
    return server.protocol->publish(
        server.real.endpoint, "t", reinterpret_cast<const uint8_t*>(message.data()), message.size(),
        ws::Opcode::kText, true, makeToken(UINT32_MAX, kGenerationMask));
  };
  CHECK_EQ(publish(text), 50u);
  CHECK_EQ(publish("below the threshold"), 50u);
  CHECK_EQ(server.protocol->counters().compressions, 1u);
  const std::string plain = frameOf(1, "below the threshold", true, false);
  for (Peer& peer : peers) {
    std::string got;
    CHECK(server.until([&] { return (got += peer.read()).ends_with(plain); }));
    CHECK(got.size() < text.size() / 2);
    CHECK(inflatedFrames(got.substr(0, got.size() - plain.size()), 1, false) == text);
  }
}

EACH_ENGINE(websocket_sends_are_compressed_by_the_shared_or_its_own_compressor) {
  NEED_ZLIB();
  for (const bool dedicated : {false, true}) {
    WsReal server(engine);
    server.settings.deflate = parametersOf(dedicated);
    START_OR_SKIP(server);
    Random random(13);
    Peer peer;
    Peer other;
    const Name name = server.accept(peer);
    const Name otherName = server.accept(other);
    const std::string text = prose(random, 3000) + std::to_string(random.next());
    const auto send = [&](Name to) {
      return server.protocol->send(server.channel(to),
                                   reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                   ws::Opcode::kText, true);
    };
    CHECK(send(name) && send(otherName) && send(name));
    std::string got;
    const auto whole = [&] { return inflatedFrames(got, 2, dedicated) == text + text; };
    CHECK(server.until([&] {
      got += peer.read();
      return whole();
    }));
    CHECK_EQ(server.protocol->counters().compressions, 3u);
  }
}

}  // namespace
