// TLS between a socket and what is spoken there.
//
//   open --> handshake --done--> announced --close_notify, FIN, failure--> over
//              |   ^
//              |   +-- its turn: a turn does so much for handshakes, and the rest waits
//              +-> waits for JavaScript, which chooses a context by the server's name
//
// Received bytes are decrypted from the receive block into a scratch block, one record behind the
// other, and are one chunk for the protocol inside. What is sent in a turn is encrypted at the
// flush, in records of 16 KB, into a scratch block that is used again as soon as the kernel has the
// bytes.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "core/loop/filter.h"
#include "core/memory/scratch_block.h"
#include "core/rings/event_writer.h"
#include "settings.h"

namespace ringpoll::tls {

// Of handshakes, those of about four connections: what costs is a flight that is sent, or the end.
inline constexpr uint32_t kHandshakeStepsPerTurn = 8;
// After that long no other begins in this turn: those who are connected wait for no more of them.
inline constexpr uint64_t kHandshakeNsPerTurn = 250'000;
inline constexpr uint32_t kLastWordsMs = 1000;  // for an alert to leave

class Filter final : public ringpoll::Filter, private SessionHooks, private WireOutput {
 public:
  // null: no memory. openSsl() must be there.
  static std::unique_ptr<Filter> make(Arena& arena, EventWriter& events, FilterHost& host);
  ~Filter() override;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void open(Channel& channel, ProtocolSettings* settings, uint64_t nowMs) override;
  void received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) override;
  void peerEnded(Channel& channel) override;
  void closed(Channel& channel) override;
  void timer(Channel& channel, uint64_t nowMs) override;
  void beginTurn(uint64_t nowMs) override;
  bool hasWork() const override { return !waiting_.empty() || !halfClosed_.empty(); }
  void endFlush() override;
  void endTurn() override;

  // filter_sending.cc
  bool encode(Channel& channel, const iovec* pieces, uint32_t count) override;
  void end(Channel& channel) override;
  void encodedLeft(Channel& channel) override;

  // JavaScript's answer to kTlsServerName; null: the connection's own context.
  void nameAnswered(Channel& channel, std::shared_ptr<const Context> context, bool refused);
  // What a PROXY header said; null: there was none.
  const http::ProxyHeader* proxyHeader(const Channel& channel) const;
  // null: it is no TLS connection, or in its handshake.
  Session* sessionOf(const Channel& channel) const;
  const Counters& counters() const { return counters_; }

 private:
  Filter(Arena& arena, EventWriter& events, FilterHost& host)
      : arena_(arena), events_(events), host_(host), encoded_(arena), decoded_(arena) {}

  static Connection& of(const Channel& channel) {
    return *static_cast<Connection*>(channel.filtered);
  }

  // filter_handshake.cc
  bool turnHasRoom() const;
  bool mayShake(const Handshake& handshake) const;
  void shake(Channel& channel, Connection& connection, const ReceivedBytes& bytes, uint64_t nowMs);
  void step(Channel& channel, Connection& connection, uint64_t nowMs);
  bool isForeign(Channel& channel, Connection& connection, const ReceivedBytes& bytes);
  void complete(Channel& channel, Connection& connection, uint64_t nowMs);
  void hold(Channel& channel, Handshake& handshake, const ReceivedBytes& bytes);
  void queue(const Channel& channel, Handshake& handshake);
  void goOn(Channel& channel, Connection& connection, uint64_t nowMs);
  Named serverName(const std::string& name) override;
  void sessionCame(OwnedSession session) override;
  void secretCame(const char* line) override;
  void keylog(const char* line) override;

  // filter_proxy.cc
  bool takeProxyHeader(Channel& channel, Connection& connection, ReceivedBytes* bytes);

  // filter.cc
  void decode(Channel& channel, Connection& connection, uint64_t nowMs);
  bool deliver(Channel& channel, const ScratchBlock::Room& room, uint32_t bytes, uint64_t nowMs);
  void peerHasEnded(Channel& channel, Connection& connection);

  // Of all connections, and of those of the connection's listener.
  template <typename Increment>
  void count(const Connection& connection, const Increment& increment) {
    increment(counters_);
    if (connection.counters != nullptr) increment(*connection.counters);
  }

  // filter_failures.cc
  void fail(Channel& channel, Connection& connection, TlsFailure kind, const Failure& why = {});
  void tell(const Channel& channel, TlsFailure kind, const Failure& why);
  static AddressText clientOf(const Channel& channel);
  void pushText(EventKind kind, const Channel& channel, std::string_view text, uint32_t aux0);

  bool write(const uint8_t* bytes, size_t length) override;
  uint8_t* room(size_t bytes) override;
  void commit(size_t bytes) override;
  void writeAs(Channel& channel);

  Arena& arena_;
  EventWriter& events_;
  FilterHost& host_;
  const OpenSsl& api_ = *openSsl();
  std::unique_ptr<Wire> wire_;
  ScratchBlock encoded_;  // until it has left, or is kept by its queue
  ScratchBlock decoded_;  // until JavaScript has seen the turn
  ScratchBlock::Mark mark_;
  ScratchBlock::Room room_;         // the last one of room()
  Channel* writer_ = nullptr;       // whose call into OpenSSL it is
  Token marked_ = kNobody;          // who has written since the mark, and nobody else
  std::deque<Token> waiting_;       // handshakes
  std::vector<Token> halfClosed_;   // TLS 1.2: our end follows the peer's
  std::vector<BlockId> texts_;      // of events that may be delivered with the next turn
  std::vector<BlockId> textsSeen_;  // of those that are
  uint32_t steps_ = 0;              // of handshakes, in this turn
  uint64_t shookNs_ = 0;            // spent on them
  Counters counters_;               // of all connections

  static constexpr Token kNobody = ~Token{0};
};

}  // namespace ringpoll::tls
