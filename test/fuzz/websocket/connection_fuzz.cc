// Fuzzes a whole connection: frames, messages, deflate, control frames, closing. The first byte
// chooses options, the rest is what a peer sends. Cut in any way it leads to the same events and
// the same answers, and when the connection is over no block of memory is held. Binary messages are
// echoed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/websocket/protocol.h"
#include "core/websocket/zlib.h"

namespace {

using namespace ringpoll;

void demand(bool holds, const char* what, const std::string& detail = "") {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n%s\n", what, detail.c_str());
  std::abort();
}

// Slabs that every run uses again: to clear them would take most of the time.
class KeptSlabs final : public SlabSource {
 public:
  uint8_t* allocateSlab(uint32_t index, uint32_t bytes) override {
    while (all().size() <= index) all().push_back(std::make_unique<uint8_t[]>(bytes));
    return all()[index].get();
  }
  void releaseSlab(uint32_t) override {}
  const uint8_t* slab(uint32_t index) const { return all()[index].get(); }

 private:
  static std::vector<std::unique_ptr<uint8_t[]>>& all() {
    static std::vector<std::unique_ptr<uint8_t[]>> slabs;
    return slabs;
  }
};

// What the loop does for a protocol, for one connection.
class OneConnection final : public Transport {
 public:
  explicit OneConnection(const websocket::Settings& settings)
      : events_({control_.data(), ring_.data(), nullptr}) {
    channel_.state = ChannelState::kOpen;
    channel_.type = ChannelType::kConnection;
    protocol_.accept(channel_, settings, {}, false, 0);
  }

  void receive(std::string_view bytes) {
    if (channel_.state != ChannelState::kOpen) return;
    const BlockId block = arena_.lease(static_cast<uint32_t>(bytes.size()));
    std::memcpy(arena_.data(block), bytes.data(), bytes.size());
    protocol_.received(channel_, {block, 0, static_cast<uint32_t>(bytes.size())}, 0);
    turn(block);
  }
  // What JavaScript and the peer have seen.
  std::string finish() {
    if (channel_.state == ChannelState::kOpen) protocol_.peerEnded(channel_);
    turn(kNoBlock);
    protocol_.closed(channel_);
    turn(kNoBlock);
    demand(protocol_.counters().connections == 0, "the connection is forgotten");
    return seen_ + "\nsent: " + sent_ + "\nechoed: " + echoed_;
  }
  uint32_t outstanding() const { return arena_.stats().outstanding; }

  void queueBytes(Channel&, BlockId block, uint32_t offset, uint32_t length) override {
    demand(!ended_, "nothing is sent behind the end");
    // Pongs leave before what handlers answer in the same turn: how it was cut decides about that.
    std::string& sent = echoing_ ? echoed_ : sent_;
    sent.append(reinterpret_cast<const char*>(arena_.data(block)) + offset, length);
  }
  void takeCounted(Channel&, uint32_t) override {}
  void endWhenSent(Channel&) override { ended_ = true; }
  void closeWhenSent(Channel&) override { ended_ = true; }
  void closeNow(Channel& channel) override { channel.state = ChannelState::kClosing; }
  bool unread(const Channel&) override { return false; }
  void giveUp(Channel& channel, int) override { channel.state = ChannelState::kClosing; }
  void pauseReading(Channel&, bool) override {}
  void armTimer(Channel&, uint64_t) override {}
  void cancelTimer(Channel&) override {}
  uint64_t unsentBytes(const Channel&) override { return 0; }
  uint64_t deliveredBytes(const Channel&) override { return 0; }
  Channel* channelOf(Token) override { return &channel_; }
  ReceivedBytes staged(int32_t, uint32_t) override { return {}; }

 private:
  void turn(BlockId received) {
    do {
      events_.endOfTurn();
      do {
        const uint32_t count = events_.beginDelivery();
        for (uint32_t i = 0; i < count; ++i) see(&ring_[i * kRecordWords]);
        events_.endDelivery();
      } while (events_.overflowing());
      protocol_.endFlush();
      protocol_.endTurn();
      protocol_.endFlush();
      if (received != kNoBlock) arena_.release(received);
      received = kNoBlock;
      protocol_.beginTurn(0);
    } while (!events_.empty() || protocol_.hasWork());
  }
  void see(const int32_t* words) {
    auto kind = static_cast<EventKind>(words[0]);
    if (kind == EventKind::kWsFrame || kind == EventKind::kWsBinary) echo(words);
    // How a frame was cut decides about the kind.
    if (kind == EventKind::kWsFrame) kind = EventKind::kWsBinary;
    seen_ += std::to_string(static_cast<int32_t>(kind)) + ":";
    if (kind == EventKind::kWsClosing) {
      seen_ += std::to_string(words[3]) + " ";
      append(static_cast<uint32_t>(words[6]), words);
    } else {
      append(static_cast<uint32_t>(words[3]), words);
    }
    seen_ += "\n";
  }
  // As JavaScript does with a chunk: what is written in front of it must hurt no other message.
  void echo(const int32_t* event) {
    const auto length = static_cast<uint32_t>(event[5]);
    const uint32_t header = websocket::headerBytes(length, websocket::Role::kServer);
    const bool framed = static_cast<EventKind>(event[0]) == EventKind::kWsFrame;
    int32_t words[kRecordWords] = {static_cast<int32_t>(CommandKind::kWsSendBlock)};
    words[3] = static_cast<int32_t>(websocket::Opcode::kBinary);
    if (framed) words[3] |= kWsSendFramed;
    words[4] = event[4];
    words[5] = static_cast<int32_t>(length + header);
    words[6] = static_cast<int32_t>(header);
    words[7] = event[6];
    echoing_ = true;
    protocol_.command(channel_, words, 0);
    echoing_ = false;
  }
  void append(uint32_t slab, const int32_t* words) {
    if (words[5] == 0) return;
    seen_.append(reinterpret_cast<const char*>(slabs_.slab(slab)) + words[4],
                 static_cast<size_t>(words[5]));
  }

  std::vector<int32_t> control_ = std::vector<int32_t>(kControlWords);
  std::vector<int32_t> ring_ = std::vector<int32_t>(kEventCapacity * kRecordWords);
  KeptSlabs slabs_;
  Arena arena_{slabs_, false};
  EventWriter events_;
  Channel channel_;
  websocket::Protocol protocol_{arena_, events_, *this};
  std::string seen_;
  std::string sent_;
  std::string echoed_;
  bool echoing_ = false;
  bool ended_ = false;
};

template <typename PieceBytes>
std::string live(const websocket::Settings& settings, std::string_view input, PieceBytes bytes) {
  OneConnection connection(settings);
  while (!input.empty()) {
    const size_t length = std::min({input.size(), bytes(), size_t{kReceiveMax}});
    connection.receive(input.substr(0, length));
    input.remove_prefix(length);
  }
  std::string seen = connection.finish();
  // Warm scratch: a block of events, one of frames.
  demand(connection.outstanding() <= 2, "no block is held", seen);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  demand(websocket::zlib() != nullptr, "zlib is linked");
  if (size < 1) return 0;
  websocket::Settings settings;
  settings.pingEvents = settings.pongEvents = true;
  settings.deflate.on = (data[0] & 2) != 0;
  settings.deflate.peerTakeover = (data[0] & 8) != 0;
  settings.maxPayload = data[0] & 4 ? 40 : 64 * 1024;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = live(settings, input, [] { return SIZE_MAX; });
  const auto compare = [&](const char* how, const std::string& other) {
    demand(other == whole, how, whole + "\n--- but ---\n" + other);
  };
  compare("byte by byte", live(settings, input, [] { return size_t{1}; }));
  test::Random random(std::hash<std::string_view>{}(input));
  compare("random cuts",
          live(settings, input, [&] { return static_cast<size_t>(random.between(1, 12)); }));
  return 0;
}
