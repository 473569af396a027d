// Where the time of a turn goes, layer by layer. Somebody is always at work: entering a layer ends
// the lap of the one before, so that the sums of all layers are the whole.
//
// A turn in kLayerEvery is measured: a look at the clock at each change would cost a fifth of a
// pipelined request.
#pragma once

#include <cstdint>

namespace ringpoll {

inline constexpr uint32_t kLayerEvery = 61;  // no multiple of what programs do things by

// In the order of LAYERS in lib/runtime/layer_words.ts.
enum class Layer : uint32_t {
  kLoop,       // which connections are ready, and the turn itself
  kAccept,     // accept4
  kRead,       // recv
  kTls,        // a handshake, or records, and what is parsed behind them
  kParse,      // requests out of bytes
  kDispatch,   // JavaScript: from events to handlers and back
  kSerialise,  // commands, and the heads of answers
  kWrite,      // send
  kHost,       // libuv and its callbacks, timers and promises
  kCount,
};
inline constexpr auto kLayerCount = static_cast<uint32_t>(Layer::kCount);

// Sums in nanoseconds and laps of each layer, then these. JavaScript has the same words.
enum LayerWord : uint32_t {
  kLayerNs = 0,
  kLayerLaps = kLayerCount,
  kLayerTurns = 2 * kLayerCount,
  kLayerRequests,
  kLayerActive,     // 1: this turn is measured
  kLayerHandlerNs,  // JavaScript's own: of kDispatch, how long handlers took
  kLayerHandlerLaps,
  kLayerClockNs,  // what a look at the clock costs
  kLayerTurnNs,   // the same turns without their waits, by clocks of its own
  kLayerWords = 32,
};
static_assert(kLayerTurnNs < kLayerWords);

class LayerClock {
 public:
  using Clock = uint64_t (*)();

  LayerClock(double* words, Clock nowNs) : words_(words), nowNs_(nowNs) {
    words_[kLayerClockNs] = costOfClock();
  }

  void start(Layer layer) {
    layer_ = layer;
    mark_ = nowNs_();
  }
  // Answers which layer was at work.
  Layer enter(Layer layer) {
    const uint64_t now = nowNs_();
    const auto index = static_cast<uint32_t>(layer_);
    words_[kLayerNs + index] += static_cast<double>(now - mark_);
    ++words_[kLayerLaps + index];
    const Layer before = layer_;
    layer_ = layer;
    mark_ = now;
    return before;
  }
  // Nobody is at work until start().
  void pause() { enter(layer_); }

 private:
  double costOfClock() const {
    constexpr uint32_t kTries = 64;
    const uint64_t from = nowNs_();
    for (uint32_t i = 1; i < kTries; ++i) static_cast<void>(nowNs_());
    return static_cast<double>(nowNs_() - from) / kTries;
  }

  double* const words_;
  const Clock nowNs_;
  Layer layer_ = Layer::kHost;
  uint64_t mark_ = 0;
};

// A layer at work until the end of the scope. `clock` is null in turns that are not measured.
class LayerScope {
 public:
  LayerScope(LayerClock* clock, Layer layer) : clock_(clock) {
    if (clock_ != nullptr) before_ = clock_->enter(layer);
  }
  ~LayerScope() {
    if (clock_ != nullptr) clock_->enter(before_);
  }
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;

 private:
  LayerClock* const clock_;
  Layer before_ = Layer::kHost;
};

}  // namespace ringpoll
