// Two connections of which each sends what the other receives. JavaScript sees none of it until
// they are over.
//
//            received, copied or spliced at once, as far as the other side takes it
//   from ------------------------------------------------------------------------> to
//     ^                                                                            |
//     +-- paused while anything waits for `to` <-----------------------------------+
//
// Two connections without a filter are read here, when their engine says that there is something:
// their bytes leave before more is read. By the route of completions, and behind a filter, the
// engine has read them; they are queued as they lie in the arena.
//
// What pipelines move in a turn is bounded. Those that have more wait in line for the next one.
//
// A direction's bytes are in one place at a time: in the pipe, named by kPipedRange in the queue of
// `to`, or in blocks of that queue. So they keep their order, behind what was written before.
#pragma once

#include <memory>
#include <vector>

#include "pending.h"
#include "pipe_choice.h"
#include "pipe_pool.h"
#include "protocol.h"
#include "route_switch.h"
#include "sender.h"

namespace ringpoll {

// Why two connections cannot be joined; a word for JavaScript.
enum class PipeRefusal : uint8_t { kNone, kClosed, kEnded, kPiped, kProtocol };

class Pipelines final : public Protocol, public FrontPipe {
 public:
  Pipelines(LoopState& state, ChannelEnds& ends, Pending& pending, Sender& sender,
            RouteSwitch& routes, Transport& transport, LoopClock* clock)
      : state_(state),
        ends_(ends),
        pending_(pending),
        sender_(sender),
        routes_(routes),
        transport_(transport),
        choice_(clock) {}

  // `raw` is the protocol of connections that may be joined.
  PipeRefusal refusal(const Channel& channel, const Protocol& raw) const;
  void join(Channel& first, Channel& second, PipeWay way);

  bool sendPiped(Channel& to) override;
  // No event is written any more: the rings may be gone.
  void stop() { stopped_ = true; }

  void open(Channel&, ProtocolSettings*, uint64_t) override {}
  void received(Channel& from, const ReceivedBytes& bytes, uint64_t nowMs) override;
  void readable(Channel& from, uint64_t nowMs) override;
  void peerEnded(Channel& from) override;
  void sendProgressed(Channel& to) override;
  void closed(Channel& channel) override;
  void beginTurn(uint64_t nowMs) override;
  bool hasWork() const override { return !line_.empty(); }

 private:
  struct Flow {
    Token from = 0;
    Token to = 0;
    Pipe pipe;            // open while bytes are in it
    uint32_t inPipe = 0;  // bytes
    uint32_t burst = 0;   // bytes that come at a time, a running average
    bool inLine = false;
    uint64_t bytes = 0;  // that were taken from `from`
    uint64_t spliced = 0;
  };
  // Lives until both connections are closed.
  struct Link {
    Flow flows[2];
    PipeWay way = PipeWay::kAuto;
    int open = 2;
  };

  static Link& linkOf(const Channel& channel) { return *static_cast<Link*>(channel.protocolState); }
  static Flow& flowFrom(const Channel& channel);
  static Flow& flowTo(const Channel& channel);
  Channel* taker(const Flow& flow);
  void hold(Channel& from, Channel& to);
  uint32_t copy(Channel& from, Channel& to, Flow& flow);
  uint32_t splice(Channel& from, Channel& to, Flow& flow);
  void move(Channel& from);
  void waitInLine(Channel& from, Flow& flow);
  bool drain(Channel& to, Flow& flow);
  void took(Channel& from, Flow& flow, uint32_t bytes);
  void ended(Channel& from, ssize_t result);
  void dropPipe(Flow& flow);

  LoopState& state_;
  ChannelEnds& ends_;
  Pending& pending_;
  Sender& sender_;
  RouteSwitch& routes_;
  Transport& transport_;
  PipePool pipes_;
  PipeChoice choice_;
  std::vector<Token> line_;  // what they receive is moved in the next turn, in this order
  std::vector<Token> served_;
  uint32_t turnBytes_ = 0;  // moved in this turn
  bool stopped_ = false;
};

}  // namespace ringpoll
