// WebSocket connections (RFC 6455), from the end of their handshake: received bytes in, one event a
// message out. Pings, pongs, closing and heartbeats are answered here.
//
// A message that came in one piece is given out where it lies in the receive block, as TCP gives
// its bytes out. Others are copied together, see gather.h, or inflated.
//
// Closing waits for the end of the turn, so that handlers can answer what came before: then the
// close frame leaves behind their answers, and a server's FIN behind it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "connection.h"
#include "core/loop/protocol.h"
#include "core/memory/scratch_block.h"
#include "core/rings/event_writer.h"
#include "mask_keys.h"
#include "settings.h"
#include "topics.h"

namespace ringpoll::websocket {

struct Counters {
  uint64_t connections = 0;  // open now
  uint64_t messages = 0;     // received
  uint64_t frames = 0;       // received
  uint64_t compressions = 0;
  uint64_t inflations = 0;
  uint64_t publishes = 0;
  uint64_t deliveries = 0;  // of publishes, one for each subscriber
  uint64_t dropped = 0;     // of these, which a slow subscriber missed
};

class Protocol final : public ringpoll::Protocol {
 public:
  Protocol(Arena& arena, EventWriter& events, Transport& transport)
      : arena_(arena),
        events_(events),
        transport_(transport),
        turnBytes_(arena),
        flushBytes_(arena) {}
  ~Protocol() override;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;

  // Takes the place of what was spoken on the connection, whose state is gone already. `received`
  // came behind the handshake; the references become ours. `ended`: and behind it the peer's FIN.
  void accept(Channel& channel, const Settings& settings, std::vector<ReceivedBytes> received,
              bool ended, uint64_t nowMs);
  // More that came behind the handshake: copied. False: no memory.
  bool feed(Channel& channel, const uint8_t* data, size_t length);

  void open(Channel&, ProtocolSettings*, uint64_t) override {}
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) override;
  void peerEnded(Channel& channel) override;
  void closed(Channel& channel) override;
  void beginTurn(uint64_t nowMs) override;
  bool hasWork() const override { return !stalled_.empty(); }
  void endFlush() override;
  void endTurn() override;

  // protocol_sending.cc
  void command(Channel& channel, const int32_t* words, uint64_t nowMs) override;
  void sendProgressed(Channel& channel) override;
  // A message from the caller's memory. False: no memory, or the connection is closing.
  bool send(Channel& channel, const uint8_t* data, size_t length, Opcode opcode, bool compress);
  // protocol_publishing.cc: a message for everybody who is subscribed, but `except`. Answers for
  // how many it was queued.
  uint32_t publish(uint32_t scope, std::string_view topic, const uint8_t* data, size_t length,
                   Opcode opcode, bool compress, Token except);
  // So much was published that it should leave before more is.
  bool wantsFlush() const { return publishedBytes_ >= kPublishFlushBytes; }

  // protocol_timers.cc
  void timer(Channel& channel, uint64_t nowMs) override;
  void readingPaused(Channel& channel, bool paused, uint64_t nowMs) override;
  void finSent(Channel&, uint64_t) override {}

  Subscribed subscribe(Channel& channel, std::string_view topic) {
    return topics_.subscribe(channel, of(channel), topic);
  }
  bool unsubscribe(Channel& channel, std::string_view topic) {
    return topics_.unsubscribe(channel, of(channel), topic);
  }
  bool isSubscribed(const Channel& channel, std::string_view topic) const {
    return topics_.isSubscribed(channel, of(channel), topic);
  }
  uint32_t subscribers(uint32_t scope, std::string_view topic) const {
    return topics_.subscribers(scope, topic);
  }
  bool isOpen(const Channel& channel) const {
    return channel.state == ChannelState::kOpen && of(channel).phase == Phase::kOpen;
  }
  const Counters& counters() const { return counters_; }

  static constexpr uint32_t kPublishFlushBytes = 64 * 1024;
  static constexpr uint32_t kOwnBlockMin = 1024;  // a shorter publish is copied for who is slow

 private:
  struct SharedSettings {
    Settings settings;
    uint32_t users = 0;
  };
  // A frame that many get.
  struct Encoded {
    DeflateParameters compressed;  // not on: as it is
    bool ownBlocks = false;
    uint64_t bytes = 0;
    std::vector<ReceivedBytes> pieces;
  };

  static Connection& of(const Channel& channel) {
    return *static_cast<Connection*>(channel.protocolState);
  }
  FrameLimits limitsOf(const Settings& settings) const;
  const Settings* share(const Settings& settings);
  void unshare(const Settings* settings);

  // protocol.cc
  void parse(Channel& channel, Connection& connection, ReceivedBytes piece);
  bool budgetLeft(Connection& connection);
  void hold(Channel& channel, Connection& connection, const ReceivedBytes& piece);
  void drainHeld(Channel& channel, Connection& connection);
  void goOnNextTurn(const Channel& channel, Connection& connection);
  void end(Channel& channel, Connection& connection);

  // protocol_messages.cc
  void takeData(Channel& channel, Connection& connection, const FrameStep& step,
                const ReceivedBytes& at);
  void countMessage(Connection& connection);
  void finishMessage(Channel& channel, Connection& connection, const FrameStep& step,
                     std::vector<ReceivedBytes> pieces);
  void takeControl(Channel& channel, Connection& connection, const FrameStep& step);
  void takeClose(Channel& channel, Connection& connection, const FrameStep& step);
  void deliver(const Channel& channel, EventKind kind, const ReceivedBytes& bytes);
  bool pushControl(const Channel& channel, EventKind kind, const uint8_t* payload, uint32_t length);
  void pushClosing(const Channel& channel, WsClosingCause cause, uint16_t code,
                   const uint8_t* reason, uint32_t length);
  void violated(Channel& channel, Connection& connection, uint16_t code);
  void closeAtEndOfTurn(Channel& channel, Connection& connection, uint16_t code);
  void retireGather(Connection& connection);

  // protocol_sending.cc
  void sendCommand(Channel& channel, Connection& connection, const int32_t* words);
  void sendBlockCommand(Channel& channel, Connection& connection, const int32_t* words);
  void closeCommand(Channel& channel, Connection& connection, const int32_t* words, uint64_t nowMs);
  bool sendControl(Channel& channel, Connection& connection, Opcode opcode, const uint8_t* payload,
                   uint32_t length);
  void sendClose(Channel& channel, Connection& connection, uint16_t code,
                 const uint8_t* reason = nullptr, uint32_t length = 0);
  void answerPing(Channel& channel, Connection& connection, const uint8_t* payload,
                  uint32_t length);
  Deflater* deflaterFor(Connection& connection);
  bool compress(Connection& connection, const uint8_t* data, size_t length, Opcode opcode,
                std::vector<ReceivedBytes>* pieces);
  bool copyFrame(const uint8_t* data, size_t length, Opcode opcode, Role role, bool ownBlocks,
                 std::vector<ReceivedBytes>* pieces);
  void putHeader(std::vector<ReceivedBytes>* pieces, Opcode opcode, Role role);

  // protocol_publishing.cc
  const Encoded* encode(std::vector<Encoded>* encoded, const Connection& connection,
                        const uint8_t* data, size_t length, Opcode opcode, bool compress);
  bool takesMore(Channel& channel, const Settings& settings, uint64_t bytes);

  // protocol_timers.cc
  uint64_t withOthers(uint64_t due, uint32_t pingMs) const;
  uint64_t dueIn(const Channel& channel, const Connection& connection) const;
  void arm(Channel& channel, const Connection& connection);
  void openTimer(Channel& channel, Connection& connection);

  Arena& arena_;
  EventWriter& events_;
  Transport& transport_;
  ScratchBlock turnBytes_;        // for events: until JavaScript has seen the turn
  ScratchBlock flushBytes_;       // for frames: until they have left, or are kept
  std::vector<BlockId> retired_;  // given back with the turn
  std::vector<BlockId> lent_;     // given back with the flush
  std::vector<Token> stalled_;
  std::vector<Token> closing_;  // in Phase::kLast
  std::vector<std::unique_ptr<SharedSettings>> settings_;
  SharedStreams streams_;
  Topics topics_;
  MaskKeys keys_;
  uint64_t nowMs_ = 0;
  uint64_t publishedBytes_ = 0;  // since the last flush
  uint32_t turn_ = 1;
  uint32_t publishNumber_ = 0;
  Counters counters_;
};

}  // namespace ringpoll::websocket
