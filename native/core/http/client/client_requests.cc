// What JavaScript asks of a client's connection.
#include <cerrno>

#include "client.h"
#include "core/base/assert.h"

namespace ringpoll::http {

void Client::command(Channel& channel, const int32_t* words, uint64_t nowMs) {
  ClientConnection& connection = of(channel);
  nowMs_ = nowMs;
  switch (static_cast<CommandKind>(words[0])) {
    case CommandKind::kClientAsk: {
      const auto flags = static_cast<uint32_t>(words[3]);
      const auto length = static_cast<uint32_t>(words[5]);
      Ask asked;
      asked.asked = {(flags & kClientAskHead) != 0, (flags & kClientAskConnect) != 0};
      asked.upgrade = (flags & kClientAskUpgrade) != 0;
      asked.informational = (flags & kClientAskInformational) != 0;
      asked.sending = (flags & kClientAskSending) != 0;
      asked.headMs = static_cast<uint32_t>(words[6]);
      asked.bodyMs = static_cast<uint32_t>(words[7]);
      ask(channel, asked, length == 0 ? ReceivedBytes{} : transport_.staged(words[4], length),
          nowMs);
      break;
    }
    case CommandKind::kClientSent:
      if (!connection.asks.empty()) {
        connection.asks.back().sending = false;
        connection.asks.back().startMs = nowMs;
        armEarlier(channel, connection);
      }
      break;
    case CommandKind::kClientRaw:
      takeRaw(channel);
      break;
    default:
      break;
  }
}

void Client::ask(Channel& channel, const Ask& asked, const ReceivedBytes& bytes, uint64_t nowMs) {
  ClientConnection& connection = of(channel);
  if (channel.state != ChannelState::kOpen || connection.state == ClientState::kOver) return;
  RP_ASSERT(connection.asks.size() < kAskedMax);
  nowMs_ = nowMs;
  // What came while it was idle, or the peer's FIN, would be taken for the response. Nothing of the
  // request has left, so it may go over another connection.
  const bool rested = connection.asks.empty() && nowMs != connection.idleSinceMs;
  if (rested && transport_.stirred(channel)) {
    fault(channel, ResponseError::kStale);
    return;
  }
  setResting(connection, false);
  connection.asks.push_back(asked);
  connection.asks.back().startMs = nowMs;
  if (channel.allSent()) connection.writeStartMs = nowMs;
  if (bytes.length > 0) transport_.queueBytes(channel, bytes.block, bytes.offset, bytes.length);
  armEarlier(channel, connection);
}

void Client::takeRaw(Channel& channel) {
  ClientConnection& connection = of(channel);
  if (connection.state != ClientState::kHolding) return;
  connection.state = ClientState::kRaw;
  connection.asks.clear();
  transport_.cancelTimer(channel);
  if (!connection.held.empty() || connection.endHeld) goOnNextTurn(channel, connection);
}

}  // namespace ringpoll::http
