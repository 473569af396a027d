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

#include "accept_source.h"
#include "arrivals.h"
#include "core/channel/timer_wheel.h"
#include "core/files/files.h"
#include "endpoint_table.h"
#include "faults.h"
#include "file_sender.h"
#include "lingering.h"
#include "loop_state.h"
#include "pending.h"
#include "pipelines.h"
#include "protocol.h"
#include "route_switch.h"
#include "sender.h"
#include "staging.h"
#include "turn_meter.h"
#include "turn_shares.h"
#include "waiting.h"

namespace ringpoll {

enum class EngineChoice : uint8_t { kHybrid, kUring, kPoll };

struct LoopOptions {
  EngineChoice engine = EngineChoice::kHybrid;
  ReceiveHint receive = ReceiveHint::kAuto;
  bool checked = false;
  LoopClock* clock = nullptr;  // null: the real one
  uint32_t completionEntries = kCompletionEntries;
};

struct EngineReport {
  std::string name;
  bool available = false;
  std::string reason;
};

class Loop final : private FilterHost, private ChannelEnds {
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
  SocketResult listen(const SocketAddress& address, const ListenOptions& options, Endpoint settings,
                      uint32_t* endpoint);
  // `shared`: other processes accept there too, and get their part.
  SocketResult adopt(int fd, const ListenOptions& options, Endpoint settings, uint32_t* endpoint,
                     bool shared = true);
  // A listener for which another thread accepts.
  SocketResult takeFrom(std::shared_ptr<AcceptSource> source, Endpoint settings,
                        uint32_t* endpoint);
  // What other threads see of this loop, from now on.
  void countIn(std::shared_ptr<LoopCounters> counters);
  // Where the connections of a listener are accepted.
  AddressText listenerAddress(uint32_t endpoint);
  SocketResult connect(const SocketAddress& remote, const SocketAddress* local, Endpoint settings,
                       uint32_t timeoutMs, Token* connection, uint32_t* endpoint,
                       const ClientOptions& client = {});
  // A stream socket that is connected already; `fd` is the loop's from now on, unless it fails.
  SocketResult adoptConnection(int fd, Endpoint settings, Token* connection, uint32_t* endpoint);
  // What was queued is offered to the kernel once more, and the socket leaves the loop: the answer
  // is a descriptor of the caller's, or -errno. EAGAIN: bytes wait still. What an engine has
  // received, and JavaScript has not been told of, is put behind `received`.
  int release(Channel& channel, std::vector<uint8_t>* received = nullptr);
  // Begins to let go of a connection that speaks raw bytes: kLeft comes behind all that was
  // received. 0 or -errno. EAGAIN: bytes wait to be sent; EPIPE: it ends.
  int letGo(Channel& channel);
  // After kLeft: its socket is another thread's now, or it goes on here.
  void leave(Channel& channel);
  void stay(Channel& channel);
  // Connections that other threads hand over are taken from now on: for `endpoints[listener]`.
  // False: no memory. Once for each loop.
  bool takeArrivals(std::shared_ptr<ArrivalSource> source, std::vector<uint32_t> endpoints);
  // Not any more, after those that wait.
  void leaveArrivals();
  // Whether it keeps the process alive: kUnreferenced or 0.
  void setReferenced(Channel& channel, bool referenced);
  Channel* listenerOf(uint32_t endpoint);
  // Who may connect there, from the next connection on; null: the endpoint is over.
  AccessGate* gateOf(uint32_t endpoint);
  // A handle reads itself from now on, and hears of kReadable; or not any more. False: its route
  // does not allow that.
  bool tellReadable(Channel& channel, bool tell) override;
  // Such a read: bytes that came, or 0. What else comes is told by events.
  uint32_t readInto(Channel& channel, uint8_t* data, uint32_t bytes) override;
  bool readSome(Channel& channel, uint32_t bytesMax, ReceivedBytes* bytes) override;
  // A datagram socket, which is `fd` from now on; the protocol of `settings` receives and sends.
  SocketResult addDatagram(int fd, Endpoint settings, Token* socket, uint32_t* endpoint);
  // `drain`: who waits in the kernel's queue is accepted first; close() would reset them.
  void closeListener(uint32_t endpoint, bool drain);
  // Bytes have come that were not received yet.
  bool unread(const Channel& channel) override;
  bool stirred(const Channel& channel) override;
  uint64_t now() const { return clockMs(); }
  // Slot and generation of each open connection of `endpoint` that JavaScript knows.
  std::vector<uint32_t> connectionsOf(uint32_t endpoint);
  template <typename Visit>
  void forEachConnection(uint32_t endpoint, Visit&& visit) {
    state_.channels.forEach([&](Channel& channel) {
      if (channel.type != ChannelType::kConnection || channel.endpoint != endpoint) return;
      if (channel.known()) visit(channel);
    });
  }
  Channel* find(uint32_t slot, uint32_t generation) {
    return state_.channels.find(slot, generation);
  }
  const Endpoint* endpoint(uint32_t id) const { return endpoints_.find(id); }
  // Sends at once what the kernel takes, without queueing: bytes taken, or -errno.
  ssize_t trySend(Channel& channel, const uint8_t* data, uint32_t bytes);
  // Sends from the caller's memory, behind what is queued. Of what the kernel does not take all is
  // copied when that is at most `keptMax` bytes, else one block of it. Answers how many bytes need
  // not be given again; that is all of them when the connection is over or has failed.
  size_t sendLarge(uint32_t slot, uint32_t generation, const uint8_t* data, size_t bytes,
                   size_t keptMax);

  // From now on each sends what the other receives. Takes commands before. Not kNone: nothing has
  // changed, and `*refused` is the one that cannot be joined.
  PipeRefusal pipe(Token first, Token second, PipeWay way, Token* refused);

  Files& files() { return files_; }
  // JavaScript has read the bytes that a kFileFetch event asked for: `bytes`, or -errno.
  void fetched(Channel& channel, uint32_t id, const uint8_t* data, int32_t bytes) {
    fileSender_.fetched(channel, id, data, bytes);
  }

  // Reports that a foreign descriptor may be readable; foreignReady() then tells it once. False: no
  // memory.
  bool watchForeign(int fd);
  bool foreignReady();

  // Takes JavaScript's commands and sends what they queued.
  void flush();
  // Takes them alone: for a call that must come behind them.
  void takeCommands();
  // The same for JavaScript, before its turn is over: what leaves counts as its share of the turn.
  void flushNow();
  // Waits at most `timeoutNs` (-1: no limit) and dispatches. True: events wait for JavaScript.
  bool turn(int64_t timeoutNs);
  uint32_t beginDelivery() {
    const uint32_t count = state_.events.beginDelivery();
    state_.metrics.events += count;
    return count;
  }
  void endDelivery() { state_.events.endDelivery(); }
  // Deliver again before endTurn().
  bool moreToDeliver() const { return state_.events.overflowing(); }
  void endTurn();
  bool hasWork() const;
  // The turn has ended before all was taken that was ready.
  bool goesOn() const { return state_.moreReady; }

  // Listeners and connections that exist, closing ones included.
  uint32_t live() const { return live_; }
  // Of these, those that keep the process alive.
  uint32_t holding() const { return live_ - state_.liveness.idle(); }
  // Connections that exist, connecting and closing ones included.
  uint32_t connections() const { return connections_; }
  const char* engineName() const;
  const std::vector<EngineReport>& reports() const { return reports_; }
  const Metrics& metrics();
  RoutingReport routing() { return routes_.report(); }
  void setWaitStrategy(WaitStrategy strategy) { waiting_.setStrategy(strategy); }
  WaitStrategy waitStrategy() const { return waiting_.strategy(); }
  // How epoll tells of connections: of those that begin, and of others as they are told next.
  void setTrigger(Trigger trigger);
  Trigger trigger() const { return trigger_; }
  // Faults from now on: see faults.h. null: not any more.
  void setFaults(const FaultPlan* plan);
  FaultCounts faultCounts() const { return faults_ == nullptr ? FaultCounts{} : faults_->counts(); }
  // Told when waits begin and end, from the next one on; null: nobody.
  void setMeter(TurnMeter* meter) { meter_ = meter; }
  // From now on the time of each layer is given to it; null: not any more.
  void setLayers(LayerClock* layers) { state_.layers = layers; }
  template <typename Visit>
  void forEachChannel(Visit&& visit) {
    state_.channels.forEach([&](Channel& channel) { visit(channel); });
  }
  // The same for some slots: see ChannelTable.
  template <typename Visit>
  uint32_t forEachChannel(uint32_t from, uint32_t slots, Visit&& visit) {
    return state_.channels.forEach(from, slots, visit);
  }
  const SendMeter& sendMeter() const { return sender_.meter(); }
  RouteIndex routeOf(const Channel& channel) const { return routes_.routeOf(channel); }
  const ArenaStats& arenaStats() const { return state_.arena.stats(); }
  Arena& arena() { return state_.arena; }

  // What a protocol is made of; addProtocol() keeps it as long as the loop.
  EventWriter& eventWriter() { return state_.events; }
  Transport& transport() { return *this; }
  FilterHost& filterHost() { return *this; }
  void addProtocol(std::unique_ptr<Protocol> protocol) {
    protocols_.push_back(std::move(protocol));
  }

 private:
  uint64_t clockMs() const;
  EngineContext context();
  bool tryEngine(std::unique_ptr<Engine> engine, int8_t* index);
  Channel* openChannel(ChannelType type, int fd, uint32_t endpoint);
  // A channel that its engine watches, with an endpoint of its own. nullptr: `fd` is closed, and
  // nothing is left.
  Channel* openAttached(ChannelType type, int fd, uint16_t flags, const Endpoint& settings,
                        uint32_t* endpoint, int* error);
  SocketResult addListener(int fd, uint16_t flags, Endpoint settings, uint32_t* endpoint);
  int64_t waitNs(int64_t timeoutNs);
  bool isTaken(int fd);

  // loop_mailboxes.cc
  int64_t beginWait(int64_t timeoutNs);
  void endWait();
  void takeHanded();
  void takeHanded(const Channel& mailbox, AcceptSource& source, uint32_t most);
  void leaveMailbox(const Channel& mailbox);
  void count();
  void uncount();
  AcceptSource* sourceOf(Token mailbox);

  // loop_transfers.cc
  int mayGo(const Channel& channel) const;
  void receiveArrivals();
  void arrive(Arrival& arrival);
  bool bringUnread(Channel& channel, const Arrival& arrival);
  ReceivedBytes keptForTurn(const uint8_t* data, size_t bytes);
  void takeUndelivered(const Channel& channel, std::vector<uint8_t>* into);

  // loop_commands.cc
  void connectionCommand(Channel& channel, const int32_t* words);
  size_t sendLargeEncoded(Channel& channel, const uint8_t* data, size_t bytes, size_t keptMax);
  size_t queueLarge(Channel& channel, const uint8_t* data, size_t bytes, size_t keptMax);
  void setIdleTimeout(Channel& channel, uint32_t milliseconds);

  // loop_completions.cc
  void dispatch();
  void complete(Channel& channel, const Completion& completion);
  void onAccept(Channel& listener, const Completion& completion);
  void pauseAccepting(Channel& listener, uint32_t delayMs);
  void resumeAccepting();
  void acceptWaiting(const Channel& listener);
  bool mayConnect(AccessGate& gate, int fd, sockaddr_storage* peer);
  void openProtocol(Channel& channel, const Endpoint& endpoint);
  void openFilter(Channel& channel, Endpoint& endpoint);
  void tellOfOpen(Channel& channel);
  void endUnannounced(const Channel& channel, Endpoint& endpoint);
  void hurryUnannounced(uint32_t endpoint, bool drain);
  Protocol& layer(Channel& channel) const {
    return channel.filtered == nullptr ? *channel.protocol : channel.filtered->filter;
  }
  void onReceive(Channel& channel, const Completion& completion);
  void onHangup(Channel& channel);
  void bothEnded(Channel& channel);
  void onConnect(Channel& channel, const Completion& completion);
  void opened(Channel& channel);
  void pushClose(const Channel& channel);
  void onClose(Channel& channel);
  void onTimer(Channel& channel);
  void fail(Channel& channel, int error, Syscall syscall) override;
  void destroy(Channel& channel) override;
  void closeInOrder(Channel& channel) override;

  // loop_transport.cc
  void queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) override;
  void queueShared(Channel& channel, BlockId block, uint32_t offset, uint32_t length) override;
  void takeCounted(Channel& channel, uint32_t bytes) override;
  void endWhenSent(Channel& channel) override;
  void closeWhenSent(Channel& channel) override;
  void closeNow(Channel& channel) override;
  void giveUp(Channel& channel, int error) override;
  void pauseReading(Channel& channel, bool paused) override;
  void armTimer(Channel& channel, uint64_t delayMs) override;
  void cancelTimer(Channel& channel) override;
  void awaitRoom(Channel& channel) override { state_.engineOf(channel).send(channel); }
  Channel* channelOf(Token token) override;
  ReceivedBytes staged(int32_t slabOffset, uint32_t length) override;
  void queueEncoded(Channel& channel, BlockId block, uint32_t offset, uint32_t length) override;
  void announce(Channel& channel) override;
  void announceRaw(Channel& channel) override;
  void endReading(Channel& channel) override;
  void armFilterTimer(Channel& channel, uint64_t delayMs) override;
  uint64_t deliveredBytes(const Channel& channel) override;
  uint64_t unsentBytes(const Channel& channel) override;

  const LoopOptions options_;
  LoopState state_;
  Pending pending_;
  TurnShares shares_;
  Staging staging_;
  EndpointTable endpoints_;
  Files files_;
  RouteSwitch routes_;
  Sender sender_;
  FileSender fileSender_;
  TimerWheel timers_;
  Lingering lingering_{state_, *this, timers_};
  Waiting waiting_{state_.metrics};
  std::unique_ptr<Faults> faults_;  // null: none was ever asked for
  Trigger trigger_ = Trigger::kEdge;
  Pipelines* pipelines_ = nullptr;                    // one of the next
  std::vector<std::unique_ptr<Protocol>> protocols_;  // the first one: raw bytes
  std::vector<EngineReport> reports_;
  std::vector<BlockId> releases_;
  std::vector<Token> acceptPaused_;
  struct Handed {
    Token mailbox;
    std::shared_ptr<AcceptSource> source;
  };
  std::vector<Handed> handed_;
  std::shared_ptr<ArrivalSource> arrivals_;
  std::vector<uint32_t> arrivalEndpoints_;
  Token arrivalsWatch_ = 0;
  bool takesArrivals_ = false;
  bool arrivalsLeft_ = false;           // the next turn takes more
  std::vector<BlockId> arrivedBlocks_;  // of this turn, and of the one before
  std::vector<BlockId> arrivedBefore_;
  std::shared_ptr<LoopCounters> counters_;  // null: nobody looks
  TurnMeter* meter_ = nullptr;              // null: nobody measures
  uint32_t connectionsCounted_ = 0;
  uint64_t acceptedCounted_ = 0;
  bool saysItWaits_ = false;
  Token foreign_ = 0;
  Token secondaryWatch_ = 0;
  bool foreignReady_ = false;
  bool stopped_ = false;
  bool released_ = true;
  uint32_t live_ = 0;
  uint32_t connections_ = 0;
};

}  // namespace ringpoll
