// Random commands and random peers against a model that knows every byte: the same seeds on each
// engine. A connection is either an echo, or both sides send streams of their own.
#include <cstdlib>

#include "random.h"
#include "real_fixture.h"

namespace {

using namespace test;

constexpr int kSteps = 2'500;
constexpr size_t kPeersMax = 12;

// RINGPOLL_TEST_SEEDS=100 runs a hundred of them.
uint64_t lastSeed() {
  const char* asked = std::getenv("RINGPOLL_TEST_SEEDS");
  return asked == nullptr ? 4 : std::strtoull(asked, nullptr, 10);
}

// What is expected of one connection, from both ends.
struct Link {
  uint64_t id = 0;
  Peer peer;
  Name name;
  bool known = false;  // the loop has told of it
  bool isEcho = false;
  uint64_t peerSent = 0;  // bytes of stream 2 * id that the peer has sent
  uint64_t received = 0;  // of these, delivered by the loop
  uint64_t written = 0;   // bytes of stream 2 * id + 1 (or of the echo) given to the loop
  uint64_t peerRead = 0;  // of these, read by the peer
  bool peerFin = false;   // the peer has sent its FIN
  bool ended = false;     // the loop has told of it
  bool ending = false;    // the loop was told to send ours
  bool rough = false;     // somebody closed without waiting: bytes may be lost, never wrong
  bool closed = false;
  std::vector<Event> kept;  // retained

  uint64_t outStream() const { return isEcho ? 2 * id : 2 * id + 1; }
};

class RandomRun {
 public:
  RandomRun(Real& real, uint64_t seed) : real_(real), random_(seed) {
    real_.js->handler = [this](const Event& event) { on(event); };
  }

  void run() {
    for (int step = 0; step < kSteps && problem.empty(); ++step) {
      if (links_.size() < kPeersMax && random_.oneIn(8)) begin();
      if (!links_.empty()) {
        Link& link = *links_[random_.below(links_.size())];
        random_.oneIn(2) ? actAsPeer(link) : actAsServer(link);
      }
      if (random_.oneIn(3)) real_.js->turn(random_.oneIn(4) ? 1'000'000 : 0);
      std::erase_if(links_, [](const auto& link) { return link->closed && link->peer.fd() < 0; });
    }
    finish();
  }

  std::string problem;  // the first thing that was not as the model has it

 private:
  void expect(bool holds, const char* what, const Link& link) {
    if (holds || !problem.empty()) return;
    problem = std::string(what) + " (connection " + std::to_string(link.id) + ", echo " +
              std::to_string(link.isEcho) + ", sent " + std::to_string(link.peerSent) +
              ", received " + std::to_string(link.received) + ", written " +
              std::to_string(link.written) + ", read " + std::to_string(link.peerRead) + ")";
  }
  static std::string stream(uint64_t id, uint64_t from, uint64_t bytes) {
    std::string all(bytes, 0);
    for (uint64_t i = 0; i < bytes; ++i) all[i] = static_cast<char>(streamByte(id, from + i));
    return all;
  }

  void begin() {
    auto link = std::make_unique<Link>();
    link->id = nextId_++;
    link->isEcho = random_.oneIn(2);
    link->peer.connect(real_.port);
    if (random_.oneIn(3)) link->peer.setBuffers(static_cast<int>(random_.between(40'000, 300'000)));
    waiting_.push_back(link.get());  // accepted in the order of the connects
    links_.push_back(std::move(link));
  }

  Link* linkOf(Name name) {
    for (auto& link : links_) {
      if (link->known && link->name == name) return link.get();
    }
    return nullptr;
  }

  void on(const Event& event) {
    if (event.kind == EventKind::kOpen) {
      Link& link = *waiting_.front();
      waiting_.erase(waiting_.begin());
      link.name = event.name;
      link.known = true;
      return;
    }
    Link* link = linkOf(event.name);
    if (link == nullptr) {
      if (problem.empty()) problem = "an event of no connection";
      return;
    }
    expect(!link->closed, "an event after the close", *link);
    if (event.kind == EventKind::kData) onData(*link, event);
    if (event.kind == EventKind::kEnd) {
      expect(link->peerFin, "an end that the peer did not send", *link);
      expect(link->received == link->peerSent || link->rough, "an end before the last byte", *link);
      link->ended = true;
      if (random_.oneIn(2)) end(*link);
    }
    if (event.kind == EventKind::kClose) {
      expect(event.error() == 0 || link->rough, "an error out of nothing", *link);
      link->closed = true;
      release(*link);
    }
  }

  void onData(Link& link, const Event& event) {
    expect(event.bytes == stream(2 * link.id, link.received, event.length), "wrong bytes", link);
    expect(link.received + event.length <= link.peerSent, "bytes that nobody sent", link);
    expect(!link.ended, "bytes after the end", link);
    link.received += event.length;
    if (link.isEcho && !link.ending) {
      if (random_.oneIn(2)) {
        real_.js->writeFrom(link.name, event);
      } else {
        real_.js->write(link.name, event.bytes);
      }
      link.written += event.length;
    }
    if (random_.oneIn(10)) {
      real_.js->retain(event);
      link.kept.push_back(event);
    }
  }

  void release(Link& link) {
    for (const Event& event : link.kept) {
      expect(real_.js->bytesOf(event) == event.bytes, "a retained block was used again", link);
      real_.js->release(event);
    }
    link.kept.clear();
  }

  void end(Link& link) {
    real_.js->command(CommandKind::kEnd, link.name);
    link.ending = true;
  }

  void readAsPeer(Link& link, size_t most) {
    const std::string bytes = link.peer.read(most);
    expect(bytes == stream(link.outStream(), link.peerRead, bytes.size()),
           "the peer read wrong bytes", link);
    link.peerRead += bytes.size();
    expect(link.peerRead <= link.written, "the peer read bytes that nobody wrote", link);
    if (!link.peer.ended) return;
    expect(link.ending || link.rough, "a FIN out of nothing", link);
    expect(link.peerRead == link.written || link.rough, "a FIN before the last byte", link);
  }

  void actAsPeer(Link& link) {
    if (link.peer.fd() < 0) return;
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        if (link.peerFin) break;
        const uint64_t bytes = random_.between(1, 1ull << random_.between(1, 18));
        link.peerSent += link.peer.write(stream(2 * link.id, link.peerSent, bytes));
        break;
      }
      case 10:
        if (!random_.oneIn(4)) break;
        link.peer.shutdown();
        link.peerFin = true;
        break;
      case 11:
        if (!random_.oneIn(8)) break;
        link.rough = true;
        link.peerFin = true;
        random_.oneIn(2) ? link.peer.reset() : link.peer.close();
        break;
      default:
        readAsPeer(link, random_.between(1, 1ull << random_.between(1, 20)));
    }
  }

  void actAsServer(Link& link) {
    if (!link.known || link.closed) return;
    LoopFixture& js = *real_.js;
    switch (random_.below(14)) {
      case 0:
      case 1:
      case 2: {
        if (link.isEcho || link.ending) break;
        const uint64_t bytes = random_.between(1, 1ull << random_.between(1, 19));
        js.write(link.name, stream(link.outStream(), link.written, bytes));
        link.written += bytes;
        break;
      }
      case 3:
        js.command(CommandKind::kPause, link.name);
        break;
      case 4:
      case 5:
        js.command(CommandKind::kResume, link.name);
        break;
      case 6:
        js.command(CommandKind::kCork, link.name);
        break;
      case 7:
      case 8:
        js.command(CommandKind::kUncork, link.name);
        break;
      case 9:
        js.command(CommandKind::kWantDrain, link.name, number(70'000));
        break;
      case 10:
        js.command(CommandKind::kTimeout, link.name, number(20));
        break;
      case 11:
        js.command(CommandKind::kRoute, link.name, number(4));
        break;
      case 12:
        release(link);
        break;
      default:
        leave(link);
    }
  }

  uint32_t number(uint32_t below) { return static_cast<uint32_t>(random_.below(below)); }

  void leave(Link& link) {
    if (random_.oneIn(6) && !link.isEcho) end(link);
    if (!random_.oneIn(12)) return;
    static constexpr CommandKind kWays[] = {CommandKind::kClose, CommandKind::kReset,
                                            CommandKind::kDestroy};
    link.rough = link.ending = true;
    real_.js->command(kWays[random_.below(3)], link.name);
  }

  // Everything that can end in order does, and then every byte has to be there.
  void finish() {
    const bool done = real_.until([this] {
      for (auto& link : links_) wind(*link);
      return !problem.empty() || std::all_of(links_.begin(), links_.end(), [](const auto& link) {
        return link->closed && (link->peer.fd() < 0 || link->peer.ended || link->peer.error != 0);
      });
    });
    if (!problem.empty()) return;
    for (auto& link : links_) {
      expect(done, "not closed in the end", *link);
      if (link->rough) continue;
      expect(link->received == link->peerSent, "bytes of the peer were lost", *link);
      expect(link->peerRead == link->written, "bytes of ours were lost", *link);
      expect(!link->isEcho || link->written == link->received, "the echo is short", *link);
    }
  }

  void wind(Link& link) {
    if (link.known && !link.closed) {
      real_.js->command(CommandKind::kResume, link.name);
      real_.js->command(CommandKind::kUncork, link.name);
      if (!link.ending && link.ended) end(link);
    }
    if (link.peer.fd() < 0) return;
    if (!link.peerFin) link.peer.shutdown();
    link.peerFin = true;
    readAsPeer(link, 1'000'000);
  }

  Real& real_;
  Random random_;
  uint64_t nextId_ = 1;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<Link*> waiting_;
};

void runSeeds(RealEngine engine, const LoopOptions& options) {
  for (uint64_t seed = 1; seed <= lastSeed(); ++seed) {
    Real real(engine, options);
    START_OR_SKIP(real);
    real.listen();
    RandomRun run(real, seed);
    run.run();
    CHECK_EQ(run.problem.empty() ? run.problem : run.problem + ", seed " + std::to_string(seed),
             std::string());
    CHECK(real.until([&] { return real.js->loop.live() == 1; }));
    real.js->turn();
    for (const double pending : real.js->host.pending) {
      CHECK(pending == 0.0 || pending == kPendingOver);
    }
    const uint32_t own = 3 + kProvidedBuffers;
    CHECK(real.js->loop.arenaStats().outstanding <= own);
  }
}

EACH_ENGINE(loop_agrees_with_a_model_under_random_use) { runSeeds(engine, optionsFor(engine)); }

TEST(loop_agrees_with_a_model_while_connections_move_between_engines) {
  LoopOptions options = optionsFor(RealEngine::kRingReadiness);
  options.engine = EngineChoice::kHybrid;
  options.receive = ReceiveHint::kAuto;
  runSeeds(RealEngine::kRingReadiness, options);
}

}  // namespace
