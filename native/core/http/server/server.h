// The server's side of HTTP connections: received bytes in, request events out, and the heads of
// responses.
//
//   (a trusted proxy: kProxy -->) kHead --complete head--> kBody, kTrailers --last byte--> kHead
//     |  \-- no body: kHead (the next request)
//     |---- upgrade that JavaScript may take: kHolding --> kRaw, or kHead when it does not
//     |---- not keep-alive, after its last byte: kDiscard
//     +---- error: kDiscard
//
// Heads are parsed where they lie in the receive block; one that is split over several reads is
// gathered in a block of its own. What JavaScript needs to read a head lazily (the record of
// record.h) is written into the shared table of heads, which starts again with every turn.
//
// Bytes are held, and the socket is not read, while they must not be parsed yet: too many requests
// are unanswered, too many bytes of answers have not left, the table of heads is full, or an
// upgrade is undecided.
#pragma once

#include <memory>
#include <vector>

#include "connection.h"
#include "core/channel/channel.h"
#include "core/loop/protocol.h"
#include "core/memory/arena.h"
#include "core/rings/event_writer.h"
#include "profile.h"
#include "responder.h"

namespace ringpoll::http {

inline constexpr uint32_t kHeadTableWords = 1u << 20;  // 4 MB of address space, used from its start
inline constexpr uint32_t kUnansweredMax = 256;        // requests of one connection
inline constexpr uint32_t kCopiedBodyMax = 4 * 1024;   // longer bodies are sent from where they lie
inline constexpr uint32_t kBodyIntoMin = 16 * 1024;    // shorter bodies are copied
inline constexpr uint32_t kBodyTurnBytesMax = 1024 * 1024;  // read in a turn, straight into memory
                                                            // of JavaScript's
inline constexpr uint32_t kHeadReadBytes = 2 * 1024;  // at a time, where such a body may follow

// A response as JavaScript names it: views on memory that stays until the flush is over.
struct ResponseCommand {
  uint32_t head = 0;  // index into the profile's templates
  ResponseParts parts;
  // A long body is not copied.
  BlockId bodyBlock = kNoBlock;
  uint32_t bodyOffset = 0;
  uint32_t bodyBytes = 0;
};

class Server final : public Protocol {
 public:
  Server(Arena& arena, EventWriter& events, Transport& transport, uint32_t* heads,
         uint32_t headWords)
      : arena_(arena),
        events_(events),
        transport_(transport),
        responder_(arena),
        heads_(heads),
        headWords_(headWords) {}
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void open(Channel& channel, ProtocolSettings* settings, uint64_t nowMs) override;
  void closed(Channel& channel) override;
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) override;
  void readable(Channel& channel, uint64_t nowMs) override;
  void peerEnded(Channel& channel) override;

  // What was held goes on: events are good for the turn in which they are made.
  void beginTurn(uint64_t nowMs) override;
  bool hasWork() const override { return !stalled_.empty(); }
  void endFlush() override { responder_.endFlush(); }
  void endTurn() override;

  // server_commands.cc
  void command(Channel& channel, const int32_t* words, uint64_t nowMs) override;
  // JavaScript accepts an upgrade: bytes come as they are.
  void takeRaw(Channel& channel);
  // Another protocol takes this one's place. What was held comes out, with its references; true:
  // and behind it the peer's FIN.
  bool leave(Channel& channel, std::vector<ReceivedBytes>* held);
  // Sends a response, or its head. False: no memory.
  bool respond(Channel& channel, const ResponseCommand& response);
  // The rest of a body of known length is received there: that of the request that JavaScript was
  // told of as its `request`th one, if it is still coming. False: it comes as before, or has come:
  // the next one may be received so.
  bool bodyInto(Channel& channel, uint32_t request, std::unique_ptr<BodyMemory> memory);
  // Nobody reads that body any more.
  static void leaveBody(Channel& channel);
  // JavaScript has answered a request.
  void responded(Channel& channel, uint64_t nowMs);
  // The profile is stopping: idle connections close, the others with their last answer.
  void stop(Channel& channel, uint64_t nowMs);
  // Requests that JavaScript was told of, and one more if another has come, or begun to.
  uint32_t expected(const Channel& channel) const;

  // server_timers.cc
  void timer(Channel& channel, uint64_t nowMs) override;
  void sendBlocked(Channel& channel, uint64_t nowMs) override;
  void sendProgressed(Channel& channel) override;
  void finSent(Channel& channel, uint64_t nowMs) override;
  void readingPaused(Channel& channel, bool paused, uint64_t nowMs) override;

  const ProxyHeader* proxyHeader(const Channel& channel) const { return of(channel).proxy.get(); }
  // Requests that JavaScript has not answered.
  uint32_t outstanding(const Channel& channel) const { return of(channel).outstanding; }
  uint64_t requests() const { return requests_; }
  uint64_t staticResponses() const { return staticResponses_; }
  // Of bodies, received straight into memory of JavaScript's.
  uint64_t bodyBytesInto() const { return bodyBytesInto_; }

 private:
  void respondCommand(Channel& channel, const int32_t* words, uint64_t nowMs);

  enum class Due : uint8_t { kNothing, kIdle, kHead, kBody, kWrite, kLinger };
  struct Deadline {
    uint64_t atMs;
    Due due;
  };

  static Connection& of(const Channel& channel) {
    return *static_cast<Connection*>(channel.protocolState);
  }
  uint32_t* nextRecord() { return heads_ + headsUsed_; }
  bool roomForRecord(const Connection& connection) const;
  void parse(Channel& channel, Piece piece);
  // Each takes bytes from the front of the piece; false: nothing more to do with it now.
  bool parseProxy(Channel& channel, Connection& connection, Piece* piece);
  bool parseHead(Channel& channel, Connection& connection, Piece* piece);
  void readBody(Channel& channel, Connection& connection);
  void readBeginning(Channel& channel);
  void endReadingItself(Channel& channel);
  bool parseBody(Channel& channel, Connection& connection, Piece* piece);
  bool parseTrailers(Channel& channel, Connection& connection, Piece* piece);
  bool gatherBytes(Connection& connection, const Piece& piece, uint32_t bytes, uint32_t limit,
                   uint32_t tail);
  template <typename Parser>
  HeadResult feedSection(Connection& connection, Parser& parser, uint32_t limit, Piece* piece,
                         Piece* section);
  void requestDone(Channel& channel, Connection& connection, const Piece& head);
  void bodyDone(Channel& channel, Connection& connection);
  bool answerStatically(Channel& channel, Connection& connection, const Piece& head);
  void failHead(Channel& channel, Connection& connection, const HeadResult& result,
                const Piece& from);
  // `bytes` are those in which the error was found, if there are any.
  void fail(Channel& channel, Connection& connection, HttpError error, const Piece& bytes = {});
  void discard(Channel& channel, Connection& connection, uint32_t bytes);
  bool idle(const Connection& connection) const;
  bool mustHold(Channel& channel, Connection& connection);
  void hold(Channel& channel, Connection& connection, const Piece& piece);
  void drainHeld(Channel& channel, Connection& connection);
  void goOnNextTurn(const Channel& channel, Connection& connection);
  void pushEnd(Channel& channel, const Connection& connection);
  void releaseGather(Connection& connection);

  bool hasUnread(const Channel& channel) const;
  Phase phaseOf(const Channel& channel, const Connection& connection) const;
  Deadline deadline(const Channel& channel, Connection& connection) const;
  bool tooSlow(Channel& channel, Connection& connection);
  void arm(Channel& channel, Connection& connection, const Deadline& deadline);
  void armEarlier(Channel& channel, Connection& connection);

  Arena& arena_;
  EventWriter& events_;
  Transport& transport_;
  Responder responder_;
  uint32_t* const heads_;
  const uint32_t headWords_;
  uint32_t headsUsed_ = 0;
  uint64_t nowMs_ = 0;
  uint32_t turnBytes_ = 0;  // of bodies, received here in this turn
  std::vector<Token> stalled_;
  std::vector<BlockId> retired_;  // given back when the turn is over
  uint64_t requests_ = 0;
  uint64_t staticResponses_ = 0;
  uint64_t bodyBytesInto_ = 0;
};

}  // namespace ringpoll::http
