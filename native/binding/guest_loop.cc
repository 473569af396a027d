#include "guest_loop.h"

#include <unistd.h>

#include <cstdlib>

#include "core/base/probes.h"
#include "core/http/client/client.h"
#include "core/http/server/server.h"

namespace ringpoll {

namespace {
void doNothing(uv_handle_s*) {}

// For the end of the process, which runs no hooks of an environment.
thread_local GuestLoop* ofThisThread = nullptr;
}  // namespace

std::string GuestLoop::start(Napi::Env env, LoopOptions options, std::unique_ptr<GuestLoop>* out) {
  std::unique_ptr<GuestLoop> guest(new GuestLoop(env));
  if (!guest->memory_.open()) return "no memory for the rings";
  if (napi_get_uv_event_loop(env, &guest->uv_) != napi_ok) return "this environment has no loop";
  guest->loop_ = std::make_unique<Loop>(guest->memory_, guest->memory_.rings(), options,
                                        guest->sockets_, guest->fileCalls_);
  std::string refused = guest->loop_->start();
  if (!refused.empty()) return refused;
  if (!guest->loop_->watchForeign(uv_backend_fd(guest->uv_))) return "no memory for the loop";
  guest->idle_ = static_cast<uv_handle_s*>(std::malloc(uv_handle_size(kUvIdle)));
  guest->check_ = static_cast<uv_handle_s*>(std::malloc(uv_handle_size(kUvCheck)));
  uv_idle_init(guest->uv_, guest->idle_);
  uv_check_init(guest->uv_, guest->check_);
  uv_handle_set_data(guest->idle_, guest.get());
  uv_handle_set_data(guest->check_, guest.get());
  guest->openHandles_ = 2;
  napi_add_async_cleanup_hook(env, onEnvironmentExit, guest.get(), &guest->exitHook_);
  ofThisThread = guest.get();
  static const int registered = std::atexit(onProcessExit);
  static_cast<void>(registered);
  *out = std::move(guest);
  return "";
}

void GuestLoop::join(Napi::Function onTurn, Napi::Object turnResource) {
  faces_.push_back(std::make_unique<Face>(env_, onTurn, turnResource));
  if (awake_) faces_.back()->attend();
}

void GuestLoop::wake() {
  applyReference();
  if (awake_ || stopped_) return;
  awake_ = true;
  std::erase_if(faces_, [](const std::unique_ptr<Face>& face) { return !face->attend(); });
  uv_idle_start(idle_, doNothing);
  uv_check_start(check_, [](uv_handle_s* handle) {
    static_cast<GuestLoop*>(uv_handle_get_data(handle))->turns();
  });
}

void GuestLoop::sleep() {
  awake_ = false;
  beat(false);
  for (auto& face : faces_) face->leave();
  uv_idle_stop(idle_);
  uv_check_stop(check_);
}

void GuestLoop::stayForRequest() {
  staysForRequest_ = true;
  applyReference();
}

void GuestLoop::setReferenced(bool referenced) {
  wantsReference_ = referenced;
  applyReference();
}

// An operation on a file keeps the process alive, as every one of Node's own does.
void GuestLoop::applyReference() {
  if (stopped_) return;
  const uint32_t resting = httpClient_ == nullptr ? 0 : httpClient_->resting();
  const bool rests = !staysForRequest_ && resting > 0 && loop_->holding() == resting;
  memory_.rings().control[kResting] = rests ? 1 : 0;
  // What is still to be told may bring more.
  const bool held = wantsReference_ && !rests && (loop_->holding() > 0 || loop_->hasWork());
  const bool referenced = held || loop_->files().underWay() > 0;
  if (referenced == referenced_) return;
  referenced_ = referenced;
  for (uv_handle_s* handle : {idle_, check_}) referenced ? uv_ref(handle) : uv_unref(handle);
}

// How long we may wait on libuv's behalf.
int64_t GuestLoop::waitTimeNs() {
  if (loop_->hasWork() || loop_->foreignReady()) return 0;
  // Callbacks that libuv has just run may have queued watchers that only its next poll registers.
  uv_metrics_s metrics;
  uv_metrics_info(uv_, &metrics);
  if (metrics.events != seenEvents_) {
    seenEvents_ = metrics.events;
    return 0;
  }
  uv_update_time(uv_);
  // With the idle handle active the answer would always be 0.
  uv_idle_stop(idle_);
  const int timeoutMs = uv_backend_timeout(uv_);
  uv_idle_start(idle_, doNothing);
  return timeoutMs < 0 ? -1 : static_cast<int64_t>(timeoutMs) * 1'000'000;
}

void GuestLoop::setMeter(double* words) {
  loop_->setMeter(nullptr);
  if (meter_ != nullptr) recordFlight(nullptr, 0);
  meter_ = words == nullptr ? nullptr : std::make_unique<TurnMeter>(words, monotonicNs);
  loop_->setMeter(meter_.get());
  loop_->setLayers(nullptr);
  sockets_.setLayers(nullptr);
  layerWords_ = words == nullptr ? nullptr : words + kLayerBase;
  layers_.reset();
  if (words != nullptr) {
    layers_ = std::make_unique<LayerClock>(layerWords_, monotonicNs);
    layerWords_[kLayerActive] = 0;
  }
  turnsToLayers_ = kLayerEvery;
}

// Ends the measured turn, and begins the next one when it is time.
void GuestLoop::sampleLayers() {
  const bool measured = layerWords_[kLayerActive] != 0;
  const bool measures = --turnsToLayers_ == 0;
  if (!measured && !measures) return;
  const uint64_t requests = http_ == nullptr ? 0 : http_->requests();
  const double ranNs = static_cast<double>(monotonicNs()) - meter_->waitedNs();
  if (measured) {
    layers_->pause();
    layerWords_[kLayerRequests] += static_cast<double>(requests - requestsBefore_);
    layerWords_[kLayerTurnNs] += ranNs - ranNsBefore_;
  }
  layerWords_[kLayerActive] = measures ? 1 : 0;
  LayerClock* const active = measures ? layers_.get() : nullptr;
  if (measures) {
    ++layerWords_[kLayerTurns];
    requestsBefore_ = requests;
    ranNsBefore_ = ranNs;
    turnsToLayers_ = kLayerEvery;
    active->start(Layer::kHost);
  }
  loop_->setLayers(active);
  sockets_.setLayers(active);
  meter_->setLayers(active);
}

bool GuestLoop::recordTurns(double* ring, uint32_t rows) {
  if (meter_ == nullptr) return false;
  meter_->record(ring, rows);
  return true;
}

bool GuestLoop::recordFlight(std::unique_ptr<MappedFile> file, uint32_t rows) {
  if (meter_ == nullptr) return false;
  meter_->setFlight(nullptr);
  flight_.reset();
  flightFile_ = std::move(file);
  if (flightFile_ == nullptr) return true;
  flight_ = std::make_unique<FlightRing>(flightFile_->words(), rows);
  meter_->setFlight(flight_.get());
  return true;
}

// A turn that has used its memory up is followed at once by the next one, while what it needs is
// warm: without an iteration of libuv in between, but not for long, because others wait for that.
void GuestLoop::turns() {
  turn();
  if (!loop_->goesOn()) return;
  const uint64_t startNs = monotonicNs();
  for (uint32_t done = 1; done < kTurnsTogetherMax && goesOn(startNs); ++done) turn();
}

bool GuestLoop::goesOn(uint64_t startNs) const {
  if (stopped_ || !awake_ || !loop_->goesOn()) return false;
  return monotonicNs() - startNs < kTurnsTogetherNsMax;
}

void GuestLoop::turn() {
  Napi::HandleScope scope(env_);
  if (meter_ != nullptr) {
    // With nothing to send there is no sending to tell from what libuv did: one look less.
    if (memory_.rings().control[kCommandCount] > 0) meter_->begins();
    sampleLayers();
  }
  loop_->flush();
  applyReference();  // before the wait, which may be a long one
  const int64_t timeoutNs = waitTimeNs();
  beat(false);
  const bool events = loop_->turn(timeoutNs);
  beat(true);
  // JavaScript's timers start from libuv's clock, which stood still while we waited.
  uv_update_time(uv_);
  if (events) {
    do {
      deliver();
      if (stopped_) return;
      loop_->flush();
    } while (loop_->moreToDeliver());
  }
  loop_->flush();
  if (meter_ != nullptr) meter_->flushed();
  loop_->endTurn();
  staysForRequest_ = false;
  applyReference();
  if (loop_->live() == 0 && loop_->files().underWay() == 0 && !loop_->hasWork()) sleep();
}

void GuestLoop::deliver() {
  const uint32_t events = loop_->beginDelivery();
  if (meter_ != nullptr) meter_->delivers(events);
  RP_PROBE1(javascript_begin, events);
  // By number: what one copy runs may bring another.
  for (size_t i = 0; i < faces_.size() && !stopped_; ++i) faces_[i]->deliver();
  RP_PROBE1(javascript_end, events);
  if (meter_ != nullptr) meter_->delivered();
  loop_->endDelivery();
}

void GuestLoop::onEnvironmentExit(napi_async_cleanup_hook_handle, void* self) {
  static_cast<GuestLoop*>(self)->stop();
}

// process.exit(), an uncaught exception: neither turns the loop again, nor ends the environment.
void GuestLoop::onProcessExit() {
  if (ofThisThread != nullptr) ofThisThread->sendLastBytes();
}

// What was written and not sent yet leaves as far as the kernel takes it.
void GuestLoop::sendLastBytes() {
  if (stopped_) return;
  memory_.close();
  loop_->flush();
}

// The engines stop first: after that the kernel writes to none of our memory, and JavaScript's
// ArrayBuffers may go.
void GuestLoop::stop() {
  sendLastBytes();
  stopped_ = true;
  setMeter(nullptr);
  if (ofThisThread == this) ofThisThread = nullptr;
  const bool released = loop_->stop();
  for (const GroupSocket& socket : groupSockets_) ::close(socket.fd);
  groupSockets_.clear();
  if (awake_) sleep();
  if (released) {
    closeHandles();
    return;
  }
  // An operation on a file that nothing can stop, such as a read from a disk that does not answer.
  // Its memory belongs to the environment, which the hook keeps: as for Node's own operations.
  uv_idle_start(idle_, doNothing);
  uv_check_start(check_, [](uv_handle_s* handle) {
    auto* guest = static_cast<GuestLoop*>(uv_handle_get_data(handle));
    if (guest->loop_->stop()) guest->closeHandles();
  });
}

// They close on libuv's next iteration, which the hook waits for.
void GuestLoop::closeHandles() {
  for (uv_handle_s* handle : {idle_, check_}) {
    uv_close(handle, [](uv_handle_s* closed) {
      auto* guest = static_cast<GuestLoop*>(uv_handle_get_data(closed));
      std::free(closed);
      if (--guest->openHandles_ == 0) napi_remove_async_cleanup_hook(guest->exitHook_);
    });
  }
}

}  // namespace ringpoll
