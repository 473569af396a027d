// The client's side of HTTP connections: requests that JavaScript has put together out, response
// events in. It takes the place of what a connection spoke when it was connected.
//
// Heads are parsed where they lie in the receive block. A response whose body came along with its
// head is one event. The record of a head (record.h) is written into a table that is shared with
// JavaScript, and starts again with every turn.
//
// A byte that no request has asked for ends the connection: it can only be read wrong.
#pragma once

#include <vector>

#include "connection.h"
#include "core/channel/channel.h"
#include "core/loop/protocol.h"
#include "core/memory/arena.h"
#include "core/rings/event_writer.h"

namespace ringpoll::http {

inline constexpr uint32_t kClientHeadWords = 1u << 19;  // 2 MB of address space

class Client final : public Protocol {
 public:
  Client(Arena& arena, EventWriter& events, Transport& transport, uint32_t* heads,
         uint32_t headWords)
      : arena_(arena),
        events_(events),
        transport_(transport),
        heads_(heads),
        headWords_(headWords) {}
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A connection that has spoken something else, or nothing, speaks HTTP from now on.
  void adopt(Channel& channel, const ClientSettings& settings, uint64_t nowMs);

  void open(Channel& channel, ProtocolSettings*, uint64_t nowMs) override {
    adopt(channel, {}, nowMs);
  }
  void closed(Channel& channel) override;
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) override;
  void peerEnded(Channel& channel) override;
  void command(Channel& channel, const int32_t* words, uint64_t nowMs) override;
  void beginTurn(uint64_t nowMs) override;
  bool hasWork() const override { return !stalled_.empty(); }
  void endTurn() override;

  // client_timers.cc
  void timer(Channel& channel, uint64_t nowMs) override;
  void sendBlocked(Channel& channel, uint64_t nowMs) override;
  void readingPaused(Channel& channel, bool paused, uint64_t nowMs) override;

  // client_requests.cc
  // A request is sent: its head, or more of it, lies at `bytes`.
  void ask(Channel& channel, const Ask& ask, const ReceivedBytes& bytes, uint64_t nowMs);
  // The tunnel is JavaScript's: bytes come as they are.
  void takeRaw(Channel& channel);

  uint64_t responses() const { return responses_; }
  // Open connections that wait for a request.
  uint32_t resting() const { return resting_; }

 private:
  enum class Due : uint8_t { kNothing, kIdle, kHead, kBody, kWrite };
  struct Deadline {
    uint64_t atMs;
    Due due;
  };

  static ClientConnection& of(const Channel& channel) {
    return *static_cast<ClientConnection*>(channel.protocolState);
  }
  uint32_t* nextRecord() { return heads_ + headsUsed_; }
  bool roomForRecord(const ClientConnection& connection) const;
  void parse(Channel& channel, ReceivedBytes piece);
  // Each takes bytes from the front of the piece; false: nothing more to do with it now.
  bool parseHead(Channel& channel, ClientConnection& connection, ReceivedBytes* piece);
  bool parseBody(Channel& channel, ClientConnection& connection, ReceivedBytes* piece);
  bool parseTrailers(Channel& channel, ClientConnection& connection, ReceivedBytes* piece);
  bool parseUntilClose(Channel& channel, ClientConnection& connection, const ReceivedBytes& piece);
  bool headDone(Channel& channel, ClientConnection& connection, const ReceivedBytes& head,
                ReceivedBytes* piece);
  bool interim(Channel& channel, ClientConnection& connection, const ReceivedBytes& head);
  void responseDone(Channel& channel, ClientConnection& connection);
  void pushHead(EventKind kind, const Channel& channel, const ReceivedBytes& head, uint32_t length);
  void pushBytes(EventKind kind, const Channel& channel, const ReceivedBytes& bytes);
  void fault(Channel& channel, HttpError error);
  void fault(Channel& channel, ResponseError error) { fault(channel, asHttpError(error)); }
  void over(Channel& channel, ClientConnection& connection);
  void setResting(ClientConnection& connection, bool resting);
  void dropHeld(ClientConnection& connection);
  void hold(Channel& channel, ClientConnection& connection, const ReceivedBytes& piece);
  void drainHeld(Channel& channel, ClientConnection& connection);
  void goOnNextTurn(const Channel& channel, ClientConnection& connection);
  void endReceiving(Channel& channel, ClientConnection& connection);

  Deadline deadline(const Channel& channel, const ClientConnection& connection) const;
  void arm(Channel& channel, ClientConnection& connection, const Deadline& deadline);
  void armEarlier(Channel& channel, ClientConnection& connection);

  Arena& arena_;
  EventWriter& events_;
  Transport& transport_;
  uint32_t* const heads_;
  const uint32_t headWords_;
  uint32_t headsUsed_ = 0;
  uint64_t nowMs_ = 0;
  std::vector<Token> stalled_;
  std::vector<BlockId> retired_;  // given back when the turn is over
  uint64_t responses_ = 0;
  uint32_t resting_ = 0;
};

}  // namespace ringpoll::http
