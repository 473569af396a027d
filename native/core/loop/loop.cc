#include "loop.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "core/base/assert.h"
#include "core/base/probes.h"
#include "core/raw/raw_protocol.h"

namespace ringpoll {

uint64_t Loop::clockMs() const {
  if (options_.clock != nullptr) return options_.clock->nowMs();
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return static_cast<uint64_t>(
      duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

Loop::Loop(LoopHost& host, SharedRings rings, LoopOptions options, SocketCalls& sockets,
           FileCalls& fileCalls)
    : options_(options),
      state_(host, rings, sockets, options.checked),
      pending_(host),
      shares_(state_, pending_),
      staging_(state_),
      files_(state_.arena, state_.events, fileCalls),
      routes_(state_, *this, options.clock, options.receive),
      sender_(state_, *this, pending_, shares_, routes_, options.clock),
      fileSender_(state_, *this, pending_, sender_, routes_, files_),
      timers_(clockMs()) {
  state_.nowMs = clockMs();
  sender_.setFiles(fileSender_);
  addProtocol(std::make_unique<RawProtocol>(state_.arena, state_.events));
  ChannelEnds& ends = *this;
  auto pipelines = std::make_unique<Pipelines>(state_, ends, pending_, sender_, routes_,
                                               transport(), options.clock);
  pipelines_ = pipelines.get();
  sender_.setPipes(*pipelines);
  addProtocol(std::move(pipelines));
}

Loop::~Loop() {
  stop();
  pipelines_->stop();
  if (!released_) {
    // The kernel still reads their records.
    for (auto& engine : state_.engines) static_cast<void>(engine.release());
    files_.abandon();
    state_.arena.abandon();
    return;
  }
  state_.channels.forEach([this](Channel& channel) {
    state_.queues.clear(channel.sends);
    if (channel.filtered != nullptr) state_.queues.clear(channel.filtered->plain);
    channel.protocol->closed(channel);
    if (channel.filtered != nullptr) channel.filtered->filter.closed(channel);
  });
  staging_.release();
  state_.engines.clear();  // they know files and channels
}

EngineContext Loop::context() {
  return {state_.arena,   state_.channels, state_.buffers, state_.queues,
          state_.sockets, state_.ready,    state_.metrics};
}

bool Loop::tryEngine(std::unique_ptr<Engine> engine, int8_t* index) {
  EngineReport report{engine->name(), false, engine->start()};
  report.available = report.reason.empty();
  reports_.push_back(report);
  if (!report.available) return false;
  *index = static_cast<int8_t>(state_.engines.size());
  state_.engines.push_back(std::move(engine));
  if (FileEngine* files = state_.engines.back()->files()) files_.setEngine(files);
  if (SendBatch* sends = state_.engines.back()->sends()) sender_.setTogether(*sends);
  return true;
}

std::string Loop::start() {
#ifdef __linux__
  if (options_.engine == EngineChoice::kPoll) {
    reports_.push_back({"uring", false, "not asked for"});
  } else {
    tryEngine(makeUring(context(), {options_.completionEntries}), &routes_.input().uring);
  }
  if (options_.engine == EngineChoice::kUring && routes_.input().uring >= 0) {
    reports_.push_back({"poll", false, "not asked for"});
  } else {
    tryEngine(makeEpoll(context()), &routes_.input().poll);
  }
#else
  reports_.push_back({"uring", false, "io_uring exists on Linux only"});
  tryEngine(makeKqueue(context()), &routes_.input().poll);
#endif
  if (state_.engines.empty()) return reports_.back().reason;
  if (state_.engines.size() > 1) {
    Channel* watch = openChannel(ChannelType::kWatch, state_.engines[1]->pollableFd(), 0);
    if (watch == nullptr) return "no memory";
    secondaryWatch_ = watch->token();
    state_.engines[0]->attach(*watch);
    state_.engines[0]->watch(*watch);
  }
  staging_.prepare();
  return "";
}

std::string Loop::startWith(const EngineFactory& make, bool ring) {
  int8_t* index = ring ? &routes_.input().uring : &routes_.input().poll;
  if (!tryEngine(make(context()), index)) return reports_.back().reason;
  staging_.prepare();
  return "";
}

const char* Loop::engineName() const {
  if (state_.engines.size() > 1) return "hybrid";
  return state_.engines.empty() ? "none" : state_.engines[0]->name();
}

bool Loop::stop() {
  if (stopped_ && released_) return true;
  stopped_ = released_ = true;
  for (auto& engine : state_.engines) released_ = engine->stop() && released_;
  files_.stop();
  endpoints_.removeFiles();
  for (const Handed& each : handed_) each.source->left();
  handed_.clear();
  if (std::exchange(takesArrivals_, false)) arrivals_->left();
  uncount();
  lingering_.stop();
  state_.channels.forEach([this](Channel& channel) {
    timers_.cancel(channel.timer);
    if (channel.type != ChannelType::kWatch && channel.fd >= 0) state_.sockets.close(channel.fd);
    channel.fd = -1;
  });
  return released_;
}

Channel* Loop::openChannel(ChannelType type, int fd, uint32_t endpoint) {
  Channel* channel = state_.channels.open(type, fd);
  if (channel == nullptr) return nullptr;
  if (!pending_.reserve(state_.channels.capacity())) {
    state_.channels.release(*channel);
    return nullptr;
  }
  pending_[channel->slot] = 0;
  channel->endpoint = endpoint;
  channel->protocol = protocols_[0].get();
  if (type != ChannelType::kWatch) ++live_;
  if (type == ChannelType::kConnection) ++connections_;
  return channel;
}

Channel* Loop::openAttached(ChannelType type, int fd, uint16_t flags, const Endpoint& settings,
                            uint32_t* endpoint, int* error) {
  const uint32_t id = endpoints_.add(settings);
  Channel* channel = openChannel(type, fd, id);
  *error = channel == nullptr ? ENOMEM : 0;
  if (channel != nullptr) {
    channel->engine = channel->nextEngine = routes_.engineFor(settings.hint);
    channel->flags = flags;
    *error = -state_.engineOf(*channel).attach(*channel);
    if (*error != 0) {
      --live_;
      state_.channels.release(*channel);
    }
  }
  if (*error != 0) {
    endpoints_.undo(id);
    state_.sockets.close(fd);
    return nullptr;
  }
  *endpoint = id;
  return channel;
}

SocketResult Loop::addListener(int fd, uint16_t flags, Endpoint settings, uint32_t* endpoint) {
  settings.isListener = true;
  if (settings.protocol == nullptr) settings.protocol = protocols_[0].get();
  if (localAddress(fd).family == AF_UNIX) flags |= kUnixSocket;
  int error = 0;
  Channel* channel = openAttached(ChannelType::kListener, fd, flags, settings, endpoint, &error);
  if (channel == nullptr) return {-1, error, Syscall::kListen};
  endpoints_[*endpoint].listener = channel->token();
  state_.engineOf(*channel).accept(*channel);
  return {fd, 0, Syscall::kNone};
}

SocketResult Loop::listen(const SocketAddress& address, const ListenOptions& options,
                          Endpoint settings, uint32_t* endpoint) {
  const SocketResult opened = openListener(address, options);
  if (opened.fd < 0) return opened;
  settings.file = SocketFile(address);
  return addListener(opened.fd, 0, std::move(settings), endpoint);
}

SocketResult Loop::adopt(int fd, const ListenOptions& options, Endpoint settings,
                         uint32_t* endpoint, bool shared) {
  if (isTaken(fd)) return {-1, EEXIST, Syscall::kListen};
  const SocketResult adopted = adoptListener(fd, options);
  if (adopted.fd < 0) return adopted;
  return addListener(adopted.fd, shared ? kInherited : 0, std::move(settings), endpoint);
}

SocketResult Loop::connect(const SocketAddress& remote, const SocketAddress* local,
                           Endpoint settings, uint32_t timeoutMs, Token* connection,
                           uint32_t* endpoint, const ClientOptions& client) {
  const SocketResult opened = openClient(remote, local, client);
  if (opened.fd < 0) return opened;
  if (settings.protocol == nullptr) settings.protocol = protocols_[0].get();
  settings.outgoing = true;
  const uint32_t id = endpoints_.add(settings);
  Channel* channel = openChannel(ChannelType::kConnection, opened.fd, id);
  if (channel == nullptr) {
    endpoints_.undo(id);
    state_.sockets.close(opened.fd);
    return {-1, ENOMEM, Syscall::kConnect};
  }
  ++endpoints_[id].connections;
  channel->state = ChannelState::kConnecting;
  channel->idleTimeoutMs = settings.idleTimeoutMs;  // from when it is connected
  if (remote.family() == AF_UNIX) channel->flags |= kUnixSocket;
  routes_.place(*channel, settings.hint);
  *connection = channel->token();
  *endpoint = id;
  const int attached = state_.engineOf(*channel).attach(*channel);
  if (attached != 0) {
    fail(*channel, -attached, Syscall::kConnect);
    return opened;
  }
  if (timeoutMs > 0) timers_.arm(channel->timer, clockMs(), timeoutMs);
  state_.engineOf(*channel).connect(*channel, remote);
  return opened;
}

PipeRefusal Loop::pipe(Token first, Token second, PipeWay way, Token* refused) {
  takeCommands();  // what was written before goes before
  for (const Token token : {first, second}) {
    *refused = token;
    const Channel* channel = state_.channels.find(token);
    if (channel == nullptr) return PipeRefusal::kClosed;
    const PipeRefusal refusal = pipelines_->refusal(*channel, *protocols_[0]);
    if (refusal != PipeRefusal::kNone) return refusal;
  }
  pipelines_->join(*state_.channels.find(first), *state_.channels.find(second), way);
  return PipeRefusal::kNone;
}

SocketResult Loop::addDatagram(int fd, Endpoint settings, Token* socket, uint32_t* endpoint) {
  settings.outgoing = true;
  int error = 0;
  Channel* channel = openAttached(ChannelType::kDatagram, fd, 0, settings, endpoint, &error);
  if (channel == nullptr) return {-1, error, Syscall::kSocket};
  channel->state = ChannelState::kOpen;
  ++endpoints_[*endpoint].connections;
  *socket = channel->token();
  openProtocol(*channel, endpoints_[*endpoint]);
  state_.engineOf(*channel).receive(*channel);
  return {fd, 0, Syscall::kNone};
}

void Loop::closeListener(uint32_t endpoint, bool drain) {
  endpoints_[endpoint].file.remove();
  endpoints_[endpoint].draining = drain;
  Channel* channel = state_.channels.find(endpoints_[endpoint].listener);
  if (channel == nullptr || channel->state == ChannelState::kClosing) return;
  hurryUnannounced(endpoint, drain);
  if (drain) acceptWaiting(*channel);
  destroy(*channel);
}

// The end of the listener waits for them.
void Loop::hurryUnannounced(uint32_t endpoint, bool drain) {
  if (endpoints_[endpoint].unannounced == 0) return;
  state_.channels.forEach([&](Channel& channel) {
    if (channel.type != ChannelType::kConnection || channel.endpoint != endpoint) return;
    if (channel.known()) return;
    // One that is closing already waits for the ring alone: its timer would outlive it.
    if (channel.state == ChannelState::kClosing) return;
    if (drain) {
      timers_.arm(channel.timer, clockMs(), kStopHandshakeMs);
    } else {
      destroy(channel);
    }
  });
}

std::vector<uint32_t> Loop::connectionsOf(uint32_t endpoint) {
  std::vector<uint32_t> names;
  forEachConnection(endpoint, [&](const Channel& channel) {
    names.push_back(channel.slot);
    names.push_back(channel.generation);
  });
  return names;
}

bool Loop::watchForeign(int fd) {
  Channel* channel = openChannel(ChannelType::kWatch, fd, 0);
  if (channel == nullptr) return false;
  foreign_ = channel->token();
  state_.engines[0]->attach(*channel);
  state_.engines[0]->watch(*channel);
  return true;
}

bool Loop::foreignReady() {
  const bool ready = foreignReady_;
  foreignReady_ = false;
  return ready;
}

bool Loop::hasWork() const {
  if (state_.moreReady || !state_.ready.empty() || !state_.events.empty()) return true;
  if (shares_.hasDrains()) return true;
  for (const auto& protocol : protocols_) {
    if (protocol->hasWork()) return true;
  }
  return false;
}

// How long the next wait may last.
int64_t Loop::waitNs(int64_t timeoutNs) {
  const bool starved = state_.buffers.takeStarved();
  if (starved) state_.secondaryReady = true;  // its channels may be among those that starve
  if (hasWork() || (starved && state_.arena.hasFree(kHotBlockBytes))) return 0;
  const auto atMost = [&timeoutNs](int64_t limitNs) {
    if (timeoutNs < 0 || limitNs < timeoutNs) timeoutNs = limitNs;
  };
  constexpr int64_t kNsPerMs = 1'000'000;
  if (const int64_t timerMs = timers_.untilNextMs(clockMs()); timerMs >= 0) {
    atMost(timerMs * kNsPerMs);
  }
  if (faults_ != nullptr) {
    if (const int64_t dueMs = faults_->untilDueMs(clockMs()); dueMs >= 0) atMost(dueMs * kNsPerMs);
  }
  if (starved || sender_.waitsForMemory()) atMost(kMemoryRetryMs * kNsPerMs);
  return timeoutNs;
}

bool Loop::turn(int64_t timeoutNs) {
  ++state_.metrics.turns;
  routes_.beginTurn();
  shares_.renew();
  timeoutNs = waitNs(timeoutNs);
  ++state_.metrics.waits;
  if (counters_ != nullptr) timeoutNs = beginWait(timeoutNs);
  if (meter_ != nullptr) meter_->sleeps();
  RP_PROBE1(wait_begin, timeoutNs);
  waiting_.wait(*state_.engines[0], timeoutNs);
  RP_PROBE1(turn_begin, state_.metrics.turns);
  if (meter_ != nullptr) meter_->wakes();
  state_.nowMs = clockMs();  // before anything is dispatched: the wait may have been a long one
  for (auto& protocol : protocols_) protocol->beginTurn(state_.nowMs);
  if (counters_ != nullptr) endWait();
  state_.moreReady = state_.engines[0]->reap();
  if (!handed_.empty()) takeHanded();
  if (arrivalsLeft_) receiveArrivals();
  if (faults_ != nullptr) {
    faults_->deliverDue(
        [this](Channel& channel, const Completion& completion) { complete(channel, completion); });
  }
  dispatch();
  if (state_.secondaryReady && state_.engines.size() > 1) {
    state_.secondaryReady = false;
    state_.engines[1]->wait(0);
    if (state_.engines[1]->reap()) state_.moreReady = state_.secondaryReady = true;
    dispatch();
  }
  if (timers_.armedCount() > 0) {
    timers_.advance(state_.nowMs, [this](TimerNode& node) {
      auto* bytes = reinterpret_cast<unsigned char*>(&node) - offsetof(Channel, timer);
      ++state_.metrics.timersFired;
      onTimer(*reinterpret_cast<Channel*>(bytes));
    });
  }
  sender_.retrySends();
  shares_.pushDrains();
  if (counters_ != nullptr) count();
  state_.events.endOfTurn();
  if (!state_.events.empty()) ++state_.metrics.turnsWithEvents;
  return !state_.events.empty();
}

void Loop::endTurn() {
  RP_PROBE1(turn_end, state_.metrics.turns);
  for (auto& engine : state_.engines) engine->endTurn();
  if (faults_ != nullptr) faults_->endTurn();
  state_.buffers.endTurn();
  // Those that came while JavaScript ran are told of in the next turn.
  for (const BlockId block : arrivedBefore_) state_.arena.release(block);
  arrivedBefore_.swap(arrivedBlocks_);
  arrivedBlocks_.clear();
  for (auto& protocol : protocols_) protocol->endTurn();
  state_.channels.reclaim();
  routes_.endTurn();
  endpoints_.endTurn();
  ++state_.rings.control[kTurn];
}

void Loop::setTrigger(Trigger trigger) {
  trigger_ = trigger;
  for (auto& engine : state_.engines) engine->setTrigger(trigger);
}

void Loop::setFaults(const FaultPlan* plan) {
  if (plan == nullptr) {
    if (faults_ != nullptr) faults_->end();
    return;
  }
  if (faults_ == nullptr) {
    ChannelEnds& ends = *this;
    faults_ = std::make_unique<Faults>(state_, ends, endpoints_);
  }
  sender_.setFaults(*faults_);
  faults_->begin(*plan);
}

const Metrics& Loop::metrics() {
  state_.metrics.bytesCopied = state_.queues.bytesCopied();
  return state_.metrics;
}

}  // namespace ringpoll
