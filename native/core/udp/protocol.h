// Datagram sockets. One object for each loop; what it keeps of a socket hangs on the channel.
//
//   readable() --recvmmsg--> one event for each batch      kUdpPackets
//   command(kUdpSend) ... --endFlush(), sendmmsg--> kernel
//                             EAGAIN: copied, and sent when there is room; kUdpDrain
//
// A turn receives within two budgets, the socket's and that of all. What a socket has left over
// waits for the next turn, behind those that have waited longer.
//
// protocol.cc receives, protocol_sending.cc sends.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/loop/protocol.h"
#include "core/rings/event_writer.h"
#include "core/system/sockets.h"
#include "receiver.h"

namespace ringpoll::udp {

// Budgets of one turn.
inline constexpr uint32_t kSocketDatagramsMax = 256;     // received by one socket
inline constexpr uint32_t kSocketBytesMax = 256 * 1024;  // the same
inline constexpr uint32_t kTurnDatagramsMax = 1024;      // received by all sockets
inline constexpr uint32_t kTurnDatagramBytesMax = 1024 * 1024;
inline constexpr uint32_t kErrorsPerTurnMax = 32;  // reports that one socket takes
inline constexpr uint32_t kSendBatchMax = 64;      // datagrams of one system call
inline constexpr uint32_t kSendTriesMax = 8;       // while it meets errors of others
inline constexpr uint32_t kCountedBytes = 64;      // of a datagram that waits, beside its own

struct Settings final : ProtocolSettings {
  int family = 0;
  uint32_t bytesMax = kDatagramBytesMax;  // of one received datagram; the rest is cut off
  bool segments = false;                  // the kernel cuts what goes out, by the record's size
};

struct Counters {
  uint64_t received = 0;
  uint64_t batches = 0;
  uint64_t truncated = 0;
  uint64_t sent = 0;
  uint64_t sendCalls = 0;
  uint64_t sendDropped = 0;    // the kernel refused them, and an error has told so
  uint64_t kernelDropped = 0;  // it had no room for what came
  uint64_t errors = 0;
};

class Protocol final : public ringpoll::Protocol {
 public:
  Protocol(Arena& arena, EventWriter& events, Transport& transport, DatagramCalls& calls);

  void open(Channel& channel, ProtocolSettings* settings, uint64_t nowMs) override;
  void received(Channel&, const ReceivedBytes&, uint64_t) override {}
  void peerEnded(Channel&) override {}
  void closed(Channel& channel) override;
  EventKind closeEvent() const override { return EventKind::kUdpClose; }
  void readable(Channel& channel, uint64_t nowMs) override;
  void writable(Channel& channel) override;
  void command(Channel& channel, const int32_t* words, uint64_t nowMs) override;
  void readingPaused(Channel& channel, bool paused, uint64_t nowMs) override;
  void timer(Channel& channel, uint64_t nowMs) override { readable(channel, nowMs); }
  void beginTurn(uint64_t nowMs) override;
  void endFlush() override;
  void endTurn() override;
  bool hasWork() const override { return !leftover_.empty(); }

  // Sends one datagram from the caller's memory, by a system call of its own: its length, or
  // -errno. -EAGAIN: others wait, or the kernel has no room. `record` as in Outgoing.
  int sendNow(Channel& channel, const uint8_t* data, uint32_t length, const int32_t* record);

  // Of one socket, and of all that this loop has had. null: it is no datagram socket.
  const Counters* countersOf(const Channel& channel) const;
  const Counters& counters() const { return all_; }

 private:
  struct Outgoing {
    const uint8_t* data;
    uint32_t length;
    const int32_t* record;  // null: to the address that the socket is connected to
  };
  // What the kernel had no room for.
  struct Kept {
    std::vector<uint8_t> bytes;
    int32_t record[kRecordWords];
    bool addressed;
  };
  struct Socket {
    Settings settings;
    Counters counters;
    std::vector<Outgoing> outgoing;
    std::deque<Kept> kept;
    bool waits = false;       // in leftover_
    bool unfinished = false;  // something may be left to receive
    bool dirty = false;
    bool blocked = false;  // waits for writable()
  };

  Socket& of(const Channel& channel) const { return *static_cast<Socket*>(channel.protocolState); }
  void wait(Channel& channel, Socket& socket);
  void receive(Channel& channel, Socket& socket);
  // Tells what the error queue holds; how many reports that were.
  uint32_t takeErrors(Channel& channel, Socket& socket);
  void tellError(Channel& channel, Socket& socket, int error, Syscall syscall,
                 const int32_t* record, uint32_t count);

  // protocol_sending.cc
  void queue(Channel& channel, const int32_t* words);
  void sendAll(Channel& channel, Socket& socket);
  uint32_t sendSome(Channel& channel, Socket& socket, const Outgoing* from, uint32_t count);
  void sendKept(Channel& channel, Socket& socket);
  void keep(Socket& socket, const Outgoing& datagram);
  void left(Channel& channel, const Outgoing& datagram);
  void prepare(Socket& socket, const Outgoing* from, uint32_t count);

  Arena& arena_;
  EventWriter& events_;
  Transport& transport_;
  DatagramCalls& calls_;
  Receiver receiver_;
  Counters all_;
  // Where a send has failed. Events of a flush are seen in the turn after it, so the records of two
  // turns are kept.
  ScratchBlock told_[2];
  uint32_t telling_ = 0;
  std::deque<Token> leftover_;
  std::vector<Token> dirty_;
  uint32_t turnDatagrams_ = 0;
  uint64_t turnBytes_ = 0;

  DatagramMessage messages_[kSendBatchMax];
  iovec vectors_[kSendBatchMax];
  sockaddr_storage addresses_[kSendBatchMax];
  alignas(cmsghdr) uint8_t controls_[kSendBatchMax][kControlBytes];
};

}  // namespace ringpoll::udp
