// Two loops in two threads at once, as in two workers: they share only the process. Run under
// ThreadSanitizer this finds what they share all the same.
#include <thread>

#include "random.h"
#include "real_fixture.h"

namespace {

using namespace test;

struct Outcome {
  std::string refused;  // the engine does not run here
  std::string problem;
};

constexpr int kRounds = 60;

// Echoes, resets, retained blocks and a stop in the middle of it all.
void serveAlone(RealEngine engine, uint64_t seed, Outcome* outcome) {
  Real real(engine);
  outcome->refused = real.start();
  if (!outcome->refused.empty()) return;
  real.listen();
  Notes notes;
  std::vector<Event> kept;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kEnd) real.js->command(CommandKind::kEnd, event.name);
    if (event.kind != EventKind::kData) return;
    real.js->retain(event);
    kept.push_back(event);
    real.js->writeFrom(event.name, event);
  };
  Random random(seed);
  for (int round = 0; round < kRounds; ++round) {
    Peer peer(real.port);
    const std::string message = patternOf(random.between(1, 300'000), seed);
    size_t sent = 0;
    std::string answer;
    const bool back = real.until([&] {
      if (sent < message.size()) sent += peer.write(message, sent);
      answer += peer.read();
      return answer.size() == message.size();
    });
    if (!back || answer != message) {
      outcome->problem = "round " + std::to_string(round) + ": the echo is wrong";
      return;
    }
    for (const Event& event : kept) real.js->release(event);
    kept.clear();
    if (random.oneIn(2)) peer.reset();
    real.js->turn();
  }
  Peer last(real.port);
  last.write(patternOf(100'000, seed));
  real.js->turn();
  if (!real.js->loop.stop()) outcome->problem = "the kernel did not let go";
}

void runTwo(RealEngine first, RealEngine second) {
  Outcome outcomes[2];
  // Not jthread, which the C++ library of the cross compilers does not have.
  std::thread one(serveAlone, first, 1, &outcomes[0]);
  std::thread two(serveAlone, second, 2, &outcomes[1]);
  one.join();
  two.join();
  for (const Outcome& outcome : outcomes) CHECK_EQ(outcome.problem, std::string());
  for (const Outcome& outcome : outcomes) {
    if (!outcome.refused.empty()) SKIP(outcome.refused);
  }
}

TEST(loops_in_two_threads_do_not_touch_each_other_on_poll) {
  runTwo(RealEngine::kPoll, RealEngine::kPoll);
}
TEST(loops_in_two_threads_do_not_touch_each_other_on_ring_readiness) {
  runTwo(RealEngine::kRingReadiness, RealEngine::kRingReadiness);
}
TEST(loops_in_two_threads_do_not_touch_each_other_on_ring_completion) {
  runTwo(RealEngine::kRingCompletion, RealEngine::kRingCompletion);
}
TEST(loops_in_two_threads_do_not_touch_each_other_on_different_engines) {
  runTwo(RealEngine::kPoll, RealEngine::kRingCompletion);
}

}  // namespace
