// The server's side of HTTP connections: received bytes in, request events out.
//
//            complete head                      last byte
//   kHead ------------------> kBody, kTrailers ----------> kHead
//     |  \-- no body: kHead (the next request)
//     |---- upgrade that JavaScript may take: kHolding --> kRaw, or kHead when it does not
//     |---- not keep-alive, after its last byte: kDiscard
//     +---- error: kDiscard
//
// Heads are parsed where they lie in the receive block; one that is split over several reads is
// gathered in a block of its own. What JavaScript needs to read a head lazily (the record of
// record.h) is written into the shared table of heads, which starts again with every turn.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../arena.h"
#include "../channel.h"
#include "../event_writer.h"
#include "../receive_buffers.h"
#include "body_decoder.h"
#include "http_date.h"
#include "request_parser.h"
#include "trailer_parser.h"

namespace ringpoll::http {

inline constexpr uint32_t kHeadTableWords = 1u << 20;  // 4 MB of address space, used from its start
inline constexpr uint32_t kHeldBytesMax = 1u << 20;    // kept for an upgrade that is undecided

enum class Phase : uint8_t { kIdle, kHead, kBody };

// An answer that needs no JavaScript. The Date header's value goes between the two parts.
struct StaticRoute {
  std::string beforeDate;
  std::string afterDate;
  uint32_t bodyBytes = 0;  // at the end of afterDate, left out for HEAD
};

// What the connections of one listener have in common.
struct Profile {
  Options options;
  uint32_t keepAliveMs = 5000;
  uint32_t headersMs = 60000;
  uint32_t requestMs = 300000;
  bool holdUpgrades = false;
  std::unordered_map<std::string, StaticRoute> routes;  // by path
};

// What the server asks of the loop.
class Output {
 public:
  virtual ~Output() = default;
  virtual void queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) = 0;
  virtual void endWhenSent(Channel& channel) = 0;
  virtual void armTimer(Channel& channel, uint64_t delayMs) = 0;
  virtual Channel* channelOf(Token token) = 0;  // null when it is over
};

class Server {
 public:
  Server(Arena& arena, EventWriter& events, Output& output, uint32_t* heads)
      : arena_(arena), events_(events), output_(output), responses_(arena), heads_(heads) {}
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The connection's state hangs on channel.protocol from open() to close().
  void open(Channel& channel, const Profile& profile, uint64_t nowMs);
  void close(Channel& channel);

  void received(Channel& channel, BlockId block, uint32_t offset, uint32_t length, uint64_t nowMs);
  // The peer's FIN. True: in the middle of a request.
  bool ended(const Channel& channel) const;
  void timer(Channel& channel, uint64_t nowMs);

  // JavaScript's answers to an upgrade request: take the bytes as they are, or go on parsing.
  void takeRaw(Channel& channel);
  void goOn(Channel& channel);
  // JavaScript has answered a request: static routes may be answered here again.
  void responded(Channel& channel);

  // What was held, for want of room in the table of heads or for an upgrade, goes on. Call before
  // a turn's completions: events are good for the turn in which they are made.
  void resumeStalled(uint64_t nowMs);
  bool stalled() const { return !stalled_.empty(); }
  void endTurn();

  uint64_t requests() const { return requests_; }
  uint64_t staticResponses() const { return staticResponses_; }

 private:
  enum class State : uint8_t { kHead, kBody, kTrailers, kHolding, kRaw, kDiscard };

  struct Piece {
    BlockId block;
    uint32_t offset;
    uint32_t length;
  };

  struct Connection {
    explicit Connection(const Profile& of)
        : profile(&of), parser(of.options), trailers(of.options) {}

    const Profile* profile;
    HeadParser parser;
    BodyDecoder body;
    TrailerParser trailers;
    State state = State::kHead;
    State afterHold = State::kHead;
    Phase phase = Phase::kIdle;
    bool begun = false;        // the parser of the current section has begun
    bool keepAlive = true;     // of the current request
    uint32_t outstanding = 0;  // requests that JavaScript has not answered
    BlockId gather = kNoBlock;
    uint32_t gathered = 0;
    uint64_t phaseStartMs = 0;
    uint64_t requestStartMs = 0;
    uint64_t armedForMs = 0;
    std::vector<Piece> held;
  };

  static Connection& of(const Channel& channel) {
    return *static_cast<Connection*>(channel.protocol);
  }
  uint32_t* nextRecord() { return heads_ + headsUsed_; }
  bool roomForRecord(const Connection& connection) const;
  void parse(Channel& channel, Piece piece);
  // Each takes bytes from the front of the piece; false: nothing more to do with it now.
  bool parseHead(Channel& channel, Connection& connection, Piece* piece);
  bool parseBody(Channel& channel, Connection& connection, Piece* piece);
  bool parseTrailers(Channel& channel, Connection& connection, Piece* piece);
  template <typename Parser>
  HeadResult feedSection(Connection& connection, Parser& parser, uint32_t limit, Piece* piece,
                         Piece* section);
  void requestDone(Channel& channel, Connection& connection, const Piece& head);
  void bodyDone(Channel& channel, Connection& connection);
  bool answerStatically(Channel& channel, Connection& connection, const Piece& head,
                        const RecordView& record);
  void fail(Channel& channel, Connection& connection, HttpError error);
  bool hold(Connection& connection, const Piece& piece);
  void drainHeld(Channel& channel, Connection& connection);
  void setPhase(Channel& channel, Connection& connection, uint64_t nowMs);
  uint64_t deadlineMs(const Connection& connection) const;
  void releaseGather(Connection& connection);

  Arena& arena_;
  EventWriter& events_;
  Output& output_;
  ReceiveBuffers responses_;
  uint32_t* const heads_;
  uint32_t headsUsed_ = 0;
  HttpDate date_;
  std::vector<Token> stalled_;
  std::vector<BlockId> retired_;  // given back when the turn is over
  uint64_t requests_ = 0;
  uint64_t staticResponses_ = 0;
};

}  // namespace ringpoll::http
