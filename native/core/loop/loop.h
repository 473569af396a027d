// The loop of one thread: engines below, the two shared rings above.
//
//   kernel -> engines -> ready queue -> dispatch -> event ring -> JavaScript
//                ^                                                    |
//                +------- flush <- send queues <- command ring <------+
//
// One turn: flush(), turn() (one wait, one dispatch), JavaScript walks the events between
// beginDelivery() and endDelivery(), flush(), endTurn().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/memory/arena.h"
#include "core/channel/channel_table.h"
#include "core/channel/completion.h"
#include "core/engine/engine.h"
#include "core/rings/event_writer.h"
#include "core/files/files.h"
#include "protocol.h"
#include "core/base/metrics.h"
#include "core/memory/receive_buffers.h"
#include "core/routing/route_meter.h"
#include "core/routing/router.h"
#include "core/routing/send_meter.h"
#include "core/rings/shared_rings.h"
#include "core/system/socket_file.h"
#include "core/system/sockets.h"
#include "core/channel/timer_wheel.h"

namespace ringpoll {

enum class EngineChoice : uint8_t { kHybrid, kUring, kPoll };

struct LoopOptions {
  EngineChoice engine = EngineChoice::kHybrid;
  ReceiveHint receive = ReceiveHint::kAuto;
  bool checked = false;
  LoopClock* clock = nullptr;  // null: the real one
  uint32_t completionEntries = kCompletionEntries;
};

// What the loop needs from whoever embeds it.
class LoopHost : public SlabSource {
 public:
  // Bytes waiting per slot, shared with JavaScript; called when the table has grown. The old values
  // are carried over. nullptr: no memory.
  virtual double* growPending(uint32_t slots) = 0;
};

// A listener, or one connect call: what its connections have in common.
struct Owner {
  Token listener = 0;
  bool isListener = false;
  bool live = false;
  bool draining = false;  // what was accepted before its listener closed is served
  EngineHint hint = EngineHint::kAuto;
  uint32_t connections = 0;
  uint32_t maxConnections = UINT32_MAX;
  uint32_t idleTimeoutMs = 0;
  Protocol* protocol = nullptr;  // null: raw bytes
  std::shared_ptr<ProtocolSettings> settings;
  SocketFile file;  // of a listener on a path
};

struct EngineReport {
  std::string name;
  bool available = false;
  std::string reason;
};

// What explain() tells.
struct RoutingReport {
  RouteStats stats[kRouteCount];
  bool available[kRouteCount] = {};
  uint32_t connections[kRouteCount] = {};
  RouteCosts costs;
  uint64_t refusals[kWishCount] = {};
  SendMeter sends;
  RouteIndex preferred = kRouteReadiness;
  const char* reason = "";
};

class Loop final : private Transport {
 public:
  Loop(LoopHost& host, SharedRings rings, LoopOptions options, SocketCalls& sockets,
       FileCalls& fileCalls);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Starts the engines by trying them. Empty, or why none could be had.
  std::string start();
  // For tests: runs on the engine that `make` makes instead, as if it were epoll or the ring.
  // Empty, or why it refused.
  using EngineFactory = std::function<std::unique_ptr<Engine>(EngineContext)>;
  std::string startWith(const EngineFactory& make, bool ring = false);
  // Ends everything. False: the kernel may still write to our memory, which must then stay; ask
  // again later. A loop that is destroyed before the kernel let go leaves its memory behind.
  bool stop();

  // Operations that come as calls, not as commands. On failure nothing is left open.
  SocketResult listen(const SocketAddress& address, const ListenOptions& options, Owner settings,
                      uint32_t* owner);
  SocketResult adopt(int fd, const ListenOptions& options, Owner settings, uint32_t* owner);
  SocketResult connect(const SocketAddress& remote, const SocketAddress* local, Owner settings,
                       uint32_t timeoutMs, Token* connection, uint32_t* owner);
  // `drain`: who waits in the kernel's queue is accepted first; close() would reset them.
  void closeListener(uint32_t owner, bool drain);
  // Bytes have come that were not received yet.
  bool unread(const Channel& channel) override;
  uint64_t now() const { return clockMs(); }
  // Slot and generation of each open connection of `owner`.
  std::vector<uint32_t> connectionsOf(uint32_t owner);
  template <typename Visit>
  void forEachConnection(uint32_t owner, Visit&& visit) {
    channels_.forEach([&](Channel& channel) {
      if (channel.type == ChannelType::kConnection && channel.owner == owner) visit(channel);
    });
  }
  Channel* find(uint32_t slot, uint32_t generation) { return channels_.find(slot, generation); }
  const Owner* owner(uint32_t id) const { return id < owners_.size() ? &owners_[id] : nullptr; }
  // Sends at once what the kernel takes, without queueing: bytes taken, or -errno.
  ssize_t trySend(Channel& channel, const uint8_t* data, uint32_t bytes);
  // Sends from the caller's memory, behind what is queued. Of what the kernel does not take all is
  // copied when that is at most `keptMax` bytes, else one block of it. Answers how many bytes need
  // not be given again; that is all of them when the connection is over or has failed.
  size_t sendLarge(uint32_t slot, uint32_t generation, const uint8_t* data, size_t bytes,
                   size_t keptMax);

  Files& files() { return files_; }
  // JavaScript has read the bytes that a kFileFetch event asked for: `bytes`, or -errno.
  void fetched(Channel& channel, uint32_t id, const uint8_t* data, int32_t bytes);

  // Reports that a foreign descriptor may be readable; foreignReady() then tells it once. False: no
  // memory.
  bool watchForeign(int fd);
  bool foreignReady();

  // Takes JavaScript's commands and sends what they queued.
  void flush();
  // The same for JavaScript, before its turn is over: what leaves counts as its share of the turn.
  void flushNow();
  // Waits at most `timeoutNs` (-1: no limit) and dispatches. True: events wait for JavaScript.
  bool turn(int64_t timeoutNs);
  uint32_t beginDelivery() {
    const uint32_t count = events_.beginDelivery();
    metrics_.events += count;
    return count;
  }
  void endDelivery() { events_.endDelivery(); }
  // Deliver again before endTurn().
  bool moreToDeliver() const { return events_.overflowing(); }
  void endTurn();
  bool hasWork() const {
    if (moreReady_ || !ready_.empty() || !events_.empty() || !drained_.empty()) return true;
    for (const auto& protocol : protocols_) {
      if (protocol->hasWork()) return true;
    }
    return false;
  }

  // Listeners and connections that exist, closing ones included.
  uint32_t live() const { return live_; }
  // Connections that exist, connecting and closing ones included.
  uint32_t connections() const { return connections_; }
  const char* engineName() const;
  const std::vector<EngineReport>& reports() const { return reports_; }
  const Metrics& metrics();
  RoutingReport routing();
  RouteIndex routeOf(const Channel& channel) const;
  const ArenaStats& arenaStats() const { return arena_.stats(); }
  Arena& arena() { return arena_; }

  // What a protocol is made of; addProtocol() keeps it as long as the loop.
  EventWriter& eventWriter() { return events_; }
  Transport& transport() { return *this; }
  void addProtocol(std::unique_ptr<Protocol> protocol) {
    protocols_.push_back(std::move(protocol));
  }

 private:
  uint64_t clockMs() const;
  EngineContext context();
  Engine& engineOf(const Channel& channel) { return *engines_[channel.engine]; }
  bool tryEngine(std::unique_ptr<Engine> engine, int8_t* index);
  Channel* openChannel(ChannelType type, int fd, uint32_t owner);
  SocketResult addListener(int fd, uint16_t flags, Owner settings, uint32_t* owner);
  uint32_t newOwner(Owner settings);
  void prepareStaging();

  // loop_commands.cc
  void takeCommands();
  void connectionCommand(Channel& channel, const int32_t* words);
  void queueSend(Channel& channel, const int32_t* words);
  size_t sendBehindQueue(Channel& channel, const uint8_t* data, size_t bytes);
  size_t queueLarge(Channel& channel, const uint8_t* data, size_t bytes, size_t keptMax);
  ssize_t sendNow(Channel& channel, const uint8_t* data, uint32_t bytes);
  void markDirty(Channel& channel);
  void flushConnection(Channel& channel);
  void sendWithoutMemory(Channel& channel);
  void retrySends();
  void sent(Channel& channel, uint64_t bytes);
  void countSent(Channel& channel, uint64_t bytes);
  void queueDrained(Channel& channel);
  void handOver(Channel& channel);
  void setIdleTimeout(Channel& channel, uint32_t milliseconds);

  // loop_shares.cc
  class EarlySends {
   public:
    explicit EarlySends(Loop& loop) : loop_(loop), before_(loop.early_) { loop.early_ = true; }
    ~EarlySends() { loop_.early_ = before_; }
    EarlySends(const EarlySends&) = delete;
    EarlySends& operator=(const EarlySends&) = delete;

   private:
    Loop& loop_;
    const bool before_;
  };
  double waitingBytes(const Channel& channel) const;
  void useShare(Channel& channel, uint64_t bytes);
  void endShare(Channel& channel);
  void renewShares();
  void wakeWriter(Channel& channel);
  void pushDrains();

  // loop_transport.cc
  void queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) override;
  void endWhenSent(Channel& channel) override;
  void closeWhenSent(Channel& channel) override;
  void closeNow(Channel& channel) override { destroy(channel); }
  void giveUp(Channel& channel, int error) override { fail(channel, error, Syscall::kWrite); }
  void pauseReading(Channel& channel, bool paused) override;
  void armTimer(Channel& channel, uint64_t delayMs) override;
  void cancelTimer(Channel& channel) override { timers_.cancel(channel.timer); }
  Channel* channelOf(Token token) override { return channels_.find(token); }
  ReceivedBytes staged(int32_t slabOffset, uint32_t length) override;
  uint64_t deliveredBytes(const Channel& channel) override {
    const uint64_t unsent = sockets_.unsentInKernel(channel.fd);
    return channel.bytesWritten > unsent ? channel.bytesWritten - unsent : 0;
  }
  uint64_t unsentBytes(const Channel& channel) override {
    return channel.state == ChannelState::kClosing ? 0
                                                   : static_cast<uint64_t>(waitingBytes(channel));
  }

  // loop_files.cc
  void queueFile(Channel& channel, const int32_t* words);
  void refuseFile(const int32_t* words);
  bool copyFile(Channel& channel, OpenFile& file, const FileRange& range);
  bool sendFile(Channel& channel);
  void endFile(Channel& channel, int32_t result);
  void fetchFile(Channel& channel, const FileRange& range);
  void fetched(Channel& channel, BlockId block, int32_t result);
  void onFile(const Completion& completion);

  // loop_routes.cc
  void place(Channel& channel, EngineHint hint);
  void setRoute(Channel& channel, ReceiveHint hint);
  void migrateIfDue(Channel& channel);
  void onDetach(Channel& channel);
  void receiveIfWanted(Channel& channel);
  void goOn(const Channel& channel);

  // loop_completions.cc
  void dispatch();
  void onAccept(Channel& listener, const Completion& completion);
  void openProtocol(Channel& channel, const Owner& owner);
  void onReceive(Channel& channel, const Completion& completion);
  void onHangup(Channel& channel);
  void onSend(Channel& channel, const Completion& completion);
  void onConnect(Channel& channel, const Completion& completion);
  void onClose(Channel& channel);
  void onTimer(Channel& channel);
  void fail(Channel& channel, int error, Syscall syscall);
  void destroy(Channel& channel);
  void resumeAccepting();
  void acceptWaiting(const Channel& listener);

  LoopHost& host_;
  const SharedRings rings_;
  const LoopOptions options_;
  SocketCalls& sockets_;
  Arena arena_;
  SendQueues queues_;
  ReceiveBuffers buffers_;
  ChannelTable channels_;
  ReadyQueue ready_;
  EventWriter events_;
  FileCalls& fileCalls_;
  Files files_;
  Metrics metrics_;
  TimerWheel timers_;
  std::vector<std::unique_ptr<Protocol>> protocols_;  // the first one: raw bytes
  std::vector<std::unique_ptr<Engine>> engines_;
  std::vector<EngineReport> reports_;
  RouterInput routing_;
  RouteMeter meter_;
  SendMeter sendMeter_;
  std::vector<Owner> owners_;
  std::vector<uint32_t> freeOwners_;
  std::vector<uint32_t> retiredOwners_;  // free once JavaScript has seen their last event
  std::vector<Token> dirty_;
  std::vector<Token> withoutMemory_;  // whose send met ENOBUFS or ENOMEM
  std::vector<BlockId> releases_;
  std::vector<Token> acceptPaused_;
  std::vector<Token> filesToResume_;  // whose share of a flush was used up
  std::vector<Token> sharers_;        // which have used some of their share of this turn
  std::vector<Token> drained_;        // whose drain event is due
  uint64_t shareBytes_ = 0;           // used by all of them together
  bool early_ = false;                // JavaScript makes us send before its turn is over
  double* pending_ = nullptr;  // see kPendingHeld and kPendingOver
  uint32_t pendingSlots_ = 0;
  BlockId staging_ = kNoBlock;
  Token foreign_ = 0;
  Token secondaryWatch_ = 0;
  bool foreignReady_ = false;
  bool secondaryReady_ = false;
  bool moreReady_ = false;
  bool stopped_ = false;
  bool released_ = true;
  uint32_t live_ = 0;
  uint32_t connections_ = 0;
  uint64_t nowMs_ = 0;  // when the wait ended, or JavaScript's commands were taken
};

}  // namespace ringpoll
