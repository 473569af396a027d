#include "loop.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/base/assert.h"
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
    : host_(host),
      rings_(rings),
      options_(options),
      sockets_(sockets),
      arena_(host, options.checked),
      queues_(arena_),
      buffers_(arena_),
      events_(rings),
      fileCalls_(fileCalls),
      files_(arena_, events_, fileCalls_),
      timers_(clockMs()),
      meter_(options.clock),
      sendMeter_(options.clock),
      nowMs_(clockMs()) {
  routing_.receive = options.receive;
  addProtocol(std::make_unique<RawProtocol>(arena_, events_));
}

Loop::~Loop() {
  stop();
  if (!released_) {
    for (auto& engine : engines_) engine.release();  // the kernel still reads its records
    files_.abandon();
    arena_.abandon();
    return;
  }
  channels_.forEach([this](Channel& channel) {
    queues_.clear(channel.sends);
    channel.protocol->closed(channel);
  });
  if (staging_ != kNoBlock) arena_.release(staging_);
}

EngineContext Loop::context() {
  return {arena_, channels_, buffers_, queues_, sockets_, ready_, metrics_};
}

bool Loop::tryEngine(std::unique_ptr<Engine> engine, int8_t* index) {
  EngineReport report{engine->name(), false, engine->start()};
  report.available = report.reason.empty();
  reports_.push_back(report);
  if (!report.available) return false;
  *index = static_cast<int8_t>(engines_.size());
  engines_.push_back(std::move(engine));
  if (FileEngine* files = engines_.back()->files()) files_.setEngine(files);
  return true;
}

std::string Loop::start() {
#ifdef __linux__
  if (options_.engine == EngineChoice::kPoll) {
    reports_.push_back({"uring", false, "not asked for"});
  } else {
    tryEngine(makeUring(context(), {options_.completionEntries}), &routing_.uring);
  }
  if (options_.engine == EngineChoice::kUring && routing_.uring >= 0) {
    reports_.push_back({"poll", false, "not asked for"});
  } else {
    tryEngine(makeEpoll(context()), &routing_.poll);
  }
#else
  reports_.push_back({"uring", false, "io_uring exists on Linux only"});
  tryEngine(makeKqueue(context()), &routing_.poll);
#endif
  if (engines_.empty()) return reports_.back().reason;
  if (engines_.size() > 1) {
    Channel* watch = openChannel(ChannelType::kWatch, engines_[1]->pollableFd(), 0);
    if (watch == nullptr) return "no memory";
    secondaryWatch_ = watch->token();
    engines_[0]->attach(*watch);
    engines_[0]->watch(*watch);
  }
  prepareStaging();
  return "";
}

std::string Loop::startWith(const EngineFactory& make, bool ring) {
  int8_t* index = ring ? &routing_.uring : &routing_.poll;
  if (!tryEngine(make(context()), index)) return reports_.back().reason;
  prepareStaging();
  return "";
}

const char* Loop::engineName() const {
  if (engines_.size() > 1) return "hybrid";
  return engines_.empty() ? "none" : engines_[0]->name();
}

bool Loop::stop() {
  if (stopped_ && released_) return true;
  stopped_ = released_ = true;
  for (auto& engine : engines_) released_ = engine->stop() && released_;
  files_.stop();
  for (Owner& owner : owners_) owner.file.remove();
  channels_.forEach([this](Channel& channel) {
    timers_.cancel(channel.timer);
    if (channel.type != ChannelType::kWatch && channel.fd >= 0) sockets_.close(channel.fd);
    channel.fd = -1;
  });
  return released_;
}

Channel* Loop::openChannel(ChannelType type, int fd, uint32_t owner) {
  Channel* channel = channels_.open(type, fd);
  if (channel == nullptr) return nullptr;
  if (channels_.capacity() > pendingSlots_) {
    // Doubled, so that JavaScript's collector is not fed an array for every page of channels.
    const uint32_t slots = std::max(channels_.capacity(), 2 * pendingSlots_);
    double* grown = host_.growPending(slots);
    if (grown == nullptr) {
      channels_.release(*channel);
      return nullptr;
    }
    pending_ = grown;
    pendingSlots_ = slots;
  }
  pending_[channel->slot] = 0;
  channel->owner = owner;
  channel->protocol = protocols_[0].get();
  if (type != ChannelType::kWatch) ++live_;
  if (type == ChannelType::kConnection) ++connections_;
  return channel;
}

uint32_t Loop::newOwner(Owner settings) {
  settings.live = true;
  if (settings.protocol == nullptr) settings.protocol = protocols_[0].get();
  if (freeOwners_.empty()) {
    owners_.push_back(settings);
    return static_cast<uint32_t>(owners_.size()) - 1;
  }
  const uint32_t id = freeOwners_.back();
  freeOwners_.pop_back();
  owners_[id] = settings;
  return id;
}

SocketResult Loop::addListener(int fd, uint16_t flags, Owner settings, uint32_t* owner) {
  settings.isListener = true;
  const uint32_t id = newOwner(settings);
  Channel* channel = openChannel(ChannelType::kListener, fd, id);
  int error = channel == nullptr ? -ENOMEM : 0;
  if (channel != nullptr) {
    channel->engine = chooseRoute(routing_, settings.hint).engine;
    channel->flags = flags;
    if (localAddress(fd).family == AF_UNIX) channel->flags |= kUnixSocket;
    error = engineOf(*channel).attach(*channel);
    if (error != 0) {
      --live_;
      channels_.release(*channel);
    }
  }
  if (error != 0) {
    owners_[id].live = false;
    owners_[id].file.remove();
    freeOwners_.push_back(id);
    sockets_.close(fd);
    return {-1, -error, Syscall::kListen};
  }
  owners_[id].listener = channel->token();
  engineOf(*channel).accept(*channel);
  *owner = id;
  return {fd, 0, Syscall::kNone};
}

SocketResult Loop::listen(const SocketAddress& address, const ListenOptions& options,
                          Owner settings, uint32_t* owner) {
  const SocketResult opened = openListener(address, options);
  if (opened.fd < 0) return opened;
  settings.file = SocketFile(address);
  return addListener(opened.fd, 0, settings, owner);
}

SocketResult Loop::adopt(int fd, const ListenOptions& options, Owner settings,
                         uint32_t* owner) {
  // Two owners of one descriptor would close it twice, and the second time it may be another's.
  bool taken = false;
  channels_.forEach([&](const Channel& channel) { taken = taken || channel.fd == fd; });
  if (taken) return {-1, EEXIST, Syscall::kListen};
  const SocketResult adopted = adoptListener(fd, options);
  if (adopted.fd < 0) return adopted;
  return addListener(adopted.fd, kInherited, settings, owner);
}

SocketResult Loop::connect(const SocketAddress& remote, const SocketAddress* local,
                           Owner settings, uint32_t timeoutMs, Token* connection,
                           uint32_t* owner) {
  const SocketResult opened = openClient(remote, local);
  if (opened.fd < 0) return opened;
  const uint32_t id = newOwner(settings);
  Channel* channel = openChannel(ChannelType::kConnection, opened.fd, id);
  if (channel == nullptr) {
    owners_[id].live = false;
    freeOwners_.push_back(id);
    sockets_.close(opened.fd);
    return {-1, ENOMEM, Syscall::kConnect};
  }
  ++owners_[id].connections;
  channel->state = ChannelState::kConnecting;
  channel->idleTimeoutMs = settings.idleTimeoutMs;  // from when it is connected
  if (remote.family() == AF_UNIX) channel->flags |= kUnixSocket;
  place(*channel, settings.hint);
  *connection = channel->token();
  *owner = id;
  const int attached = engineOf(*channel).attach(*channel);
  if (attached != 0) {
    fail(*channel, -attached, Syscall::kConnect);
    return opened;
  }
  if (timeoutMs > 0) timers_.arm(channel->timer, clockMs(), timeoutMs);
  engineOf(*channel).connect(*channel, remote);
  return opened;
}

void Loop::closeListener(uint32_t owner, bool drain) {
  owners_[owner].file.remove();
  owners_[owner].draining = drain;
  Channel* channel = channels_.find(owners_[owner].listener);
  if (channel == nullptr || channel->state == ChannelState::kClosing) return;
  if (drain) acceptWaiting(*channel);
  destroy(*channel);
}

void Loop::acceptWaiting(const Channel& listener) {
  if (listener.flags & kInherited) return;  // others serve them
  for (uint32_t i = 0; i < kStopAcceptsMax; ++i) {
    const int fd = sockets_.accept(listener.fd);
    if (fd == -ECONNABORTED) continue;
    if (fd < 0) return;
    ready_.push(listener.token(), OpKind::kAccept, fd, true);
  }
}

bool Loop::unread(const Channel& channel) {
  // By the route of completions they may have left the socket already.
  if (channel.route == Route::kCompletion && moreReady_) return true;
  return sockets_.peek(channel.fd) > 0;
}

std::vector<uint32_t> Loop::connectionsOf(uint32_t owner) {
  std::vector<uint32_t> names;
  forEachConnection(owner, [&](const Channel& channel) {
    names.push_back(channel.slot);
    names.push_back(channel.generation);
  });
  return names;
}

bool Loop::watchForeign(int fd) {
  Channel* channel = openChannel(ChannelType::kWatch, fd, 0);
  if (channel == nullptr) return false;
  foreign_ = channel->token();
  engines_[0]->attach(*channel);
  engines_[0]->watch(*channel);
  return true;
}

bool Loop::foreignReady() {
  const bool ready = foreignReady_;
  foreignReady_ = false;
  return ready;
}

bool Loop::turn(int64_t timeoutNs) {
  ++metrics_.turns;
  meter_.beginTurn();
  renewShares();
  const bool starved = buffers_.takeStarved();
  if (starved) secondaryReady_ = true;  // its channels may be among those that starve
  if (hasWork() || (starved && arena_.hasFree(kHotBlockBytes))) {
    timeoutNs = 0;
  } else if (const int64_t timerMs = timers_.untilNextMs(clockMs()); timerMs >= 0) {
    const int64_t timerNs = timerMs * 1'000'000;
    if (timeoutNs < 0 || timerNs < timeoutNs) timeoutNs = timerNs;
  }
  constexpr int64_t kMemoryRetryNs = kMemoryRetryMs * 1'000'000ll;
  if ((starved || !withoutMemory_.empty()) && (timeoutNs < 0 || timeoutNs > kMemoryRetryNs)) {
    timeoutNs = kMemoryRetryNs;
  }
  ++metrics_.waits;
  engines_[0]->wait(timeoutNs);
  nowMs_ = clockMs();  // before anything is dispatched: the wait may have been a long one
  for (auto& protocol : protocols_) protocol->beginTurn(nowMs_);
  moreReady_ = engines_[0]->reap();
  dispatch();
  if (secondaryReady_ && engines_.size() > 1) {
    secondaryReady_ = false;
    engines_[1]->wait(0);
    if (engines_[1]->reap()) moreReady_ = secondaryReady_ = true;
    dispatch();
  }
  if (timers_.armedCount() > 0) {
    timers_.advance(nowMs_, [this](TimerNode& node) {
      auto* bytes = reinterpret_cast<unsigned char*>(&node) - offsetof(Channel, timer);
      ++metrics_.timersFired;
      onTimer(*reinterpret_cast<Channel*>(bytes));
    });
  }
  retrySends();
  pushDrains();
  events_.endOfTurn();
  if (!events_.empty()) ++metrics_.turnsWithEvents;
  return !events_.empty();
}

void Loop::endTurn() {
  for (auto& engine : engines_) engine->endTurn();
  buffers_.endTurn();
  for (auto& protocol : protocols_) protocol->endTurn();
  channels_.reclaim();
  meter_.endTurn();
  freeOwners_.insert(freeOwners_.end(), retiredOwners_.begin(), retiredOwners_.end());
  retiredOwners_.clear();
  ++rings_.control[kTurn];
}

// JavaScript writes what it sends into one block, which starts again from its beginning when
// everything in it has left. If some of it is pinned, another block takes its place.
void Loop::prepareStaging() {
  if (staging_ != kNoBlock) {
    if (rings_.control[kStagingUsed] == 0) return;
    if (arena_.references(staging_) > 1) {
      arena_.release(staging_);
      staging_ = kNoBlock;
    }
  }
  if (staging_ == kNoBlock) {
    staging_ = arena_.lease(kHotBlockBytes);
    const bool have = staging_ != kNoBlock;
    rings_.control[kStagingBlock] = static_cast<int32_t>(staging_);
    rings_.control[kStagingSlab] = have ? static_cast<int32_t>(arena_.slab(staging_)) : -1;
    rings_.control[kStagingOffset] = have ? static_cast<int32_t>(arena_.slabOffset(staging_)) : 0;
    rings_.control[kStagingSize] = have ? static_cast<int32_t>(kHotBlockBytes) : 0;
  }
  rings_.control[kStagingUsed] = 0;
}

const Metrics& Loop::metrics() {
  metrics_.bytesCopied = queues_.bytesCopied();
  return metrics_;
}

}  // namespace ringpoll
