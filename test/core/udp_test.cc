// Datagram sockets on real engines, and their sends on a scripted kernel.
#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/system/udp_socket.h"
#include "core/udp/protocol.h"
#include "real_fixture.h"

using namespace test;

namespace {

// A kernel that answers what it is told, and else sends for real.
class ScriptedCalls final : public DatagramCalls {
 public:
  int send(int fd, DatagramMessage* messages, uint32_t count) override {
    ++sends;
    if (!answers.empty()) {
      const int answer = answers.front();
      answers.pop_front();
      if (answer <= 0) return answer;
      count = std::min(count, static_cast<uint32_t>(answer));
    }
    return DatagramCalls::send(fd, messages, count);
  }
  std::deque<int> answers;  // -errno, or how many of a batch leave
  int sends = 0;
};

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A plain socket on the other side.
class UdpPeer {
 public:
  UdpPeer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    const sockaddr_in any = loopback(0);
    ::bind(fd_, reinterpret_cast<const sockaddr*>(&any), sizeof any);
    const int bytes = 4 << 20;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  ~UdpPeer() { ::close(fd_); }
  UdpPeer(const UdpPeer&) = delete;
  UdpPeer& operator=(const UdpPeer&) = delete;

  uint16_t port() const { return localAddress(fd_).port; }
  void sendTo(uint16_t port, const std::string& bytes) {
    const sockaddr_in to = loopback(port);
    ::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  // Of what has come, one: false: nothing.
  bool take(std::string* out) {
    out->resize(65536);
    const ssize_t n = ::recv(fd_, out->data(), out->size(), 0);
    out->resize(n < 0 ? 0 : static_cast<size_t>(n));
    return n >= 0;
  }

 private:
  int fd_;
};

class Udp {
 public:
  explicit Udp(RealEngine engine) : real(engine) {}

  std::string start() { return real.start(); }

  void open(uint32_t bytesMax = udp::kDatagramBytesMax, const SocketAddress* remote = nullptr) {
    LoopFixture& js = *real.js;
    if (protocol == nullptr) {
      auto made = std::make_unique<udp::Protocol>(js.loop.arena(), js.loop.eventWriter(),
                                                  js.loop.transport(), calls);
      protocol = made.get();
      js.loop.addProtocol(std::move(made));
      js.handler = [this](const Event& event) { note(event); };
    }
    SocketAddress local;
    SocketAddress::fromIp("127.0.0.1", 0, &local);
    const SocketResult opened = openUdp(local, remote, {});
    CHECK(opened.fd >= 0);
    const int bytes = 4 << 20;
    ::setsockopt(opened.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    port = localAddress(opened.fd).port;
    auto settings = std::make_shared<udp::Settings>();
    settings->family = AF_INET;
    settings->bytesMax = bytesMax;
    Endpoint endpoint;
    endpoint.protocol = protocol;
    endpoint.settings = settings;
    Token token = 0;
    uint32_t id = 0;
    js.loop.addDatagram(opened.fd, endpoint, &token, &id);
    name = {slotOf(token), generationOf(token)};
  }

  void note(const Event& event) {
    Host& host = real.js->host;
    if (event.kind == EventKind::kUdpClose) closed = true;
    if (event.kind == EventKind::kUdpDrain) ++drains;
    if (event.kind == EventKind::kUdpError) {
      errors.push_back(event.error());
      refused += event.length;
      if (event.aux0 != kNoBlock) {
        const auto* record =
            reinterpret_cast<const int32_t*>(host.slabs.slab(event.aux0) + event.offset);
        errorPorts.push_back(static_cast<uint16_t>(record[udp::kPort]));
      }
    }
    if (event.kind != EventKind::kUdpPackets) return;
    ++batches;
    largestBatch = std::max(largestBatch, event.length);
    const auto* records = reinterpret_cast<const int32_t*>(
        host.slabs.slab(static_cast<uint32_t>(event.result)) + event.offset);
    for (uint32_t i = 0; i < event.length; ++i) {
      const int32_t* record = records + i * udp::kRecordWords;
      const uint8_t* at = host.slabs.slab(static_cast<uint32_t>(record[udp::kSlab]));
      got.emplace_back(reinterpret_cast<const char*>(at) + record[udp::kOffset],
                       static_cast<size_t>(record[udp::kLength]));
      ports.push_back(static_cast<uint16_t>(record[udp::kPort]));
      flags.push_back(static_cast<uint32_t>(record[udp::kPort]) >> udp::kFlagsShift);
      if (!echo) continue;
      real.js->host.pending[name.slot] += record[udp::kLength] + udp::kCountedBytes;
      real.js->command(CommandKind::kUdpSend, name, static_cast<uint32_t>(record[udp::kBlock]),
                       static_cast<uint32_t>(record[udp::kOffset]),
                       static_cast<uint32_t>(record[udp::kLength]), event.aux0,
                       event.offset + i * udp::kRecordBytes);
    }
  }

  double pending() { return real.js->host.pending[name.slot]; }
  void close() {
    real.js->command(CommandKind::kUdpClose, name);
    CHECK(real.until([this] { return closed; }));
  }

  ScriptedCalls calls;
  Real real;
  udp::Protocol* protocol = nullptr;
  Name name;
  uint16_t port = 0;
  bool echo = true;
  bool closed = false;
  int drains = 0;
  uint32_t batches = 0;
  uint32_t largestBatch = 0;
  uint32_t refused = 0;
  std::vector<int32_t> errors;
  std::vector<uint16_t> errorPorts;
  std::vector<std::string> got;
  std::vector<uint16_t> ports;
  std::vector<uint32_t> flags;
};

}  // namespace

EACH_ENGINE(udp_echoes_datagrams_of_every_size) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  UdpPeer peer;
  for (const size_t bytes : {0u, 1u, 64u, 2047u, 2048u, 2049u, 9000u, 65507u}) {
    const std::string sent = patternOf(bytes, bytes);
    peer.sendTo(udp.port, sent);
    std::string back = "nothing";
    CHECK(udp.real.until([&] { return peer.take(&back); }));
    CHECK(back == sent);
    CHECK(udp.got.back() == sent);
    CHECK_EQ(udp.ports.back(), peer.port());
    CHECK_EQ(udp.flags.back() & udp::kTruncated, 0u);
  }
  CHECK_EQ(udp.pending(), 0.0);
  udp.close();
}

EACH_ENGINE(udp_keeps_the_order_over_batches_and_turns) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  UdpPeer peer;
  constexpr uint32_t kCount = 900;
  for (uint32_t i = 0; i < kCount; ++i) peer.sendTo(udp.port, std::to_string(i));
  uint32_t most = 0;
  uint32_t back = 0;
  bool ordered = true;
  std::string one;
  CHECK(udp.real.until([&] {
    const auto before = static_cast<uint32_t>(udp.got.size());
    udp.real.js->turn(0);
    most = std::max(most, static_cast<uint32_t>(udp.got.size()) - before);
    while (peer.take(&one)) ordered = one == std::to_string(back++) && ordered;
    return back == kCount;
  }));
  CHECK(ordered);
  CHECK(most <= udp::kSocketDatagramsMax);
  CHECK_EQ(udp.largestBatch, udp::kBatchMax);
  CHECK_EQ(udp.protocol->counters().received, uint64_t{kCount});
  CHECK_EQ(udp.protocol->counters().sent, uint64_t{kCount});
  udp.close();
}

EACH_ENGINE(udp_tells_of_a_datagram_that_was_cut_off) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open(100);
  udp.echo = false;
  UdpPeer peer;
  peer.sendTo(udp.port, patternOf(101, 1));
  peer.sendTo(udp.port, patternOf(100, 2));
  CHECK(udp.real.until([&] { return udp.got.size() == 2; }));
  CHECK(udp.got[0] == patternOf(101, 1).substr(0, 100));
  CHECK(udp.flags[0] & udp::kTruncated);
  CHECK(udp.got[1] == patternOf(100, 2));
  CHECK_EQ(udp.flags[1] & udp::kTruncated, 0u);
  CHECK_EQ(udp.protocol->counters().truncated, uint64_t{1});
  udp.close();
}

EACH_ENGINE(udp_keeps_what_a_full_kernel_does_not_take) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  UdpPeer peer;
  udp.calls.answers = {2, -EAGAIN};
  for (int i = 0; i < 5; ++i) peer.sendTo(udp.port, std::to_string(i));
  std::vector<std::string> back;
  std::string one;
  CHECK(udp.real.until([&] {
    while (peer.take(&one)) back.push_back(one);
    return back.size() == 5;
  }));
  CHECK(back == (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  CHECK(udp.real.until([&] { return udp.drains == 1; }));
  CHECK_EQ(udp.pending(), 0.0);
  CHECK(udp.errors.empty());
  udp.close();
}

EACH_ENGINE(udp_tells_once_of_datagrams_that_fail_alike) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  UdpPeer peer;
  // Each is tried twice: the first answer may be about an earlier one.
  udp.calls.answers = {-ENETUNREACH, -ENETUNREACH, -ENETUNREACH, -ENETUNREACH};
  for (int i = 0; i < 3; ++i) peer.sendTo(udp.port, std::to_string(i));
  std::string one;
  CHECK(udp.real.until([&] { return peer.take(&one); }));
  CHECK_EQ(one, "2");
  CHECK(udp.real.until([&] { return !udp.errors.empty(); }));
  CHECK(udp.errors == std::vector<int32_t>{ENETUNREACH});
  CHECK(udp.errorPorts == std::vector<uint16_t>{peer.port()});
  CHECK_EQ(udp.refused, 2u);
  CHECK_EQ(udp.protocol->counters().sendDropped, uint64_t{2});
  CHECK_EQ(udp.pending(), 0.0);
  udp.close();
}

EACH_ENGINE(udp_tells_who_refuses_a_datagram) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  SocketAddress remote;
  {
    const UdpPeer gone;
    SocketAddress::fromIp("127.0.0.1", gone.port(), &remote);
  }
  udp.open(udp::kDatagramBytesMax, &remote);
  LoopFixture& js = *udp.real.js;
  const auto send = [&] {
    const BlockId block = js.loop.arena().lease(64);
    js.host.pending[udp.name.slot] += 4 + udp::kCountedBytes;
    js.command(CommandKind::kUdpSend, udp.name, block, js.loop.arena().slabOffset(block), 4,
               kNoBlock);
    js.turn(0);
    js.loop.arena().release(block);
  };
  send();
  CHECK(udp.real.until([&] { return !udp.errors.empty(); }));
  CHECK_EQ(udp.errors[0], ECONNREFUSED);
#ifdef __linux__
  CHECK_EQ(udp.errorPorts.size(), 1u);
  CHECK_EQ(udp.errorPorts[0],
           reinterpret_cast<const sockaddr_in&>(remote.storage).sin_port == 0
               ? uint16_t{0}
               : ntohs(reinterpret_cast<const sockaddr_in&>(remote.storage).sin_port));
#endif
  CHECK(!udp.closed);
  CHECK_EQ(udp.pending(), 0.0);
  udp.close();
}

EACH_ENGINE(udp_receives_nothing_while_paused_and_all_of_it_afterwards) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  udp.echo = false;
  UdpPeer peer;
  udp.real.js->command(CommandKind::kPause, udp.name);
  udp.real.js->turn(0);
  for (int i = 0; i < 100; ++i) peer.sendTo(udp.port, std::to_string(i));
  for (int i = 0; i < 20; ++i) udp.real.js->turn(1'000'000);
  CHECK(udp.got.empty());
  udp.real.js->command(CommandKind::kResume, udp.name);
  CHECK(udp.real.until([&] { return udp.got.size() == 100; }));
  udp.close();
}

EACH_ENGINE(udp_shares_a_turn_between_sockets) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  const uint16_t flooded = udp.port;
  udp.echo = false;
  udp.open();
  UdpPeer enemy;
  UdpPeer honest;
  for (uint32_t i = 0; i < 3000; ++i) enemy.sendTo(flooded, "flood");
  honest.sendTo(udp.port, "honest");
  uint32_t turns = 0;
  size_t most = 0;
  CHECK(udp.real.until([&] {
    const size_t before = udp.got.size();
    udp.real.js->turn(0);
    ++turns;
    most = std::max(most, udp.got.size() - before);
    return std::find(udp.got.begin(), udp.got.end(), "honest") != udp.got.end();
  }));
  CHECK(most <= udp::kSocketDatagramsMax + 1);
  CHECK(turns <= 2);
  udp.close();
}

EACH_ENGINE(udp_gives_all_memory_back) {
  Udp udp(engine);
  START_OR_SKIP(udp);
  const uint32_t before = udp.real.js->loop.arenaStats().outstanding;
  udp.open();
  UdpPeer peer;
  uint32_t held = 0;
  for (int round = 0; round < 50; ++round) {
    for (const size_t bytes : {64u, 40000u, 3u}) peer.sendTo(udp.port, patternOf(bytes, bytes));
    CHECK(udp.real.until([&] { return udp.got.size() == 3u * (round + 1); }));
    udp.real.js->turn(0);
    if (round == 5) held = udp.real.js->loop.arenaStats().outstanding;
  }
  CHECK(udp.real.js->loop.arenaStats().outstanding <= held + 2);
  CHECK(held <= before + udp::kBatchMax + 8);
  udp.close();
}

// A network may report errors as fast as it likes.
EACH_ENGINE(udp_takes_few_reports_of_errors_in_a_turn) {
#ifdef __linux__
  Udp udp(engine);
  START_OR_SKIP(udp);
  udp.open();
  uint16_t gone;
  {
    const UdpPeer peer;
    gone = peer.port();
  }
  // From the socket itself, and so reported to it; the loop has not met the errors.
  const sockaddr_in to = loopback(gone);
  const int fd = udp.real.js->channel(udp.name)->fd;
  uint32_t sent = 0;
  for (int i = 0; i < 400; ++i) {
    // The report of the one before makes every second call fail.
    if (::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1) ++sent;
  }
  CHECK(sent > 100);
  size_t most = 0;
  CHECK(udp.real.until([&] {
    const size_t before = udp.errors.size();
    udp.real.js->turn(0);
    most = std::max(most, udp.errors.size() - before);
    return udp.errors.size() >= 64;
  }));
  CHECK(most <= 2 * udp::kErrorsPerTurnMax);
  UdpPeer peer;
  peer.sendTo(udp.port, "still there");
  std::string back;
  CHECK(udp.real.until([&] { return peer.take(&back); }));
  CHECK_EQ(back, "still there");
  CHECK_EQ(udp.errors[0], ECONNREFUSED);
  udp.close();
#else
  SKIP("there is no error queue here");
#endif
}
