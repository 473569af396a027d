// The calibration of routes, on real engines.
#include "real_fixture.h"

namespace {

using namespace test;

LoopOptions adaptive() {
  LoopOptions options = optionsFor(RealEngine::kRingReadiness);
  options.engine = EngineChoice::kHybrid;
  options.receive = ReceiveHint::kAuto;
  options.adaptive = true;
  return options;
}

TEST(calibration_is_measured_once_in_a_process_and_leaves_nothing_behind) {
  Real first(RealEngine::kRingReadiness, adaptive());
  START_OR_SKIP(first);
  Real second(RealEngine::kRingReadiness, adaptive());
  START_OR_SKIP(second);
  const RoutingReport one = first.js->loop.routing();
  const RoutingReport two = second.js->loop.routing();
  CHECK_EQ(std::string(two.calibrationState), "measured by another loop");
  CHECK(one.calibration.tookNs > 0);
  CHECK_EQ(two.calibration.tookNs, one.calibration.tookNs);
  CHECK(one.calibration.tookNs < 4 * kCalibrationNsMax);  // the machine may have been busy
  for (uint32_t route = 0; route < kRouteCount; ++route) {
    // A machine that is too busy does not get through the first round in time.
    if (one.calibration.rounds > 0) CHECK(two.costs.of[route][0].startNs > 0);
    CHECK_EQ(two.costs.of[route][0].samples, 0u);
    CHECK_EQ(two.stats[route].receives, 0u);
  }
  CHECK_EQ(first.js->loop.live(), 0u);
  CHECK_EQ(first.js->loop.metrics().receives, 0u);
}

TEST(calibrated_loop_serves_by_every_route) {
  Real real(RealEngine::kRingReadiness, adaptive());
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kData) real.js->write(event.name, event.bytes);
  };
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  std::string sent;
  std::string answer;
  for (uint32_t round = 0; round < 40; ++round) {
    const std::string piece(1 + round * 97, static_cast<char>('a' + round % 26));
    CHECK_EQ(peer.write(piece), piece.size());
    sent += piece;
    real.js->command(CommandKind::kRoute, notes.last, round % 5);
    CHECK(real.until([&] { return (answer += peer.read()).size() == sent.size(); }));
  }
  CHECK(answer == sent);
}

TEST(calibration_can_be_switched_off) {
  LoopOptions options = adaptive();
  options.calibrate = false;
  Real real(RealEngine::kRingReadiness, options);
  START_OR_SKIP(real);
  const RoutingReport report = real.js->loop.routing();
  CHECK_EQ(std::string(report.calibrationState), "switched off");
  CHECK_EQ(report.calibration.tookNs, 0u);
  CHECK_EQ(report.costs.of[kRouteReadiness][0].startNs, 0.0);
}

}  // namespace
