// From the queues of connections to the kernel. What a socket takes at once leaves in one system
// call for each connection and flush; what it has no room for is its engine's.
//
//   queued --flush()--> sent
//     |  ^------------ no memory in the kernel: tried again a little later
//     +--> handed to the engine --onSend()--> the rest is queued again
//
// Where the ring runs, a flush of kSendsTogetherMin connections or more offers what waits on each
// of them to the kernel in one system call. What is left after that takes the way of a small flush.
//
// Behind a filter there are two queues: what waits to be encoded, and what was.
#pragma once

#include <vector>

#include "core/engine/send_batch.h"
#include "core/routing/send_meter.h"
#include "faults.h"
#include "loop_state.h"
#include "pending.h"
#include "route_switch.h"
#include "turn_shares.h"

namespace ringpoll {

// A range of a file that stands at the front of a queue.
class FrontFile {
 public:
  virtual ~FrontFile() = default;
  // True: it is over. False: it goes on later, or never.
  virtual bool sendFront(Channel& channel) = 0;
  // For a filter: bytes of it go in front of the rest of it. True: they are there, or it is over.
  // False: they come later, or never.
  virtual bool readFront(Channel& channel) = 0;
};

// Bytes in a pipe that stand at the front of a queue; as sendFront().
class FrontPipe {
 public:
  virtual ~FrontPipe() = default;
  virtual bool sendPiped(Channel& channel) = 0;
};

class Sender {
 public:
  Sender(LoopState& state, ChannelEnds& ends, Pending& pending, TurnShares& shares,
         RouteSwitch& routes, LoopClock* clock)
      : state_(state),
        ends_(ends),
        pending_(pending),
        shares_(shares),
        routes_(routes),
        meter_(clock) {}
  void setFiles(FrontFile& files) { files_ = &files; }
  // From now on flushes of many connections go through it.
  void setTogether(SendBatch& together) { together_ = &together; }
  // From now on it may cut sends off, or refuse them.
  void setFaults(Faults& faults) { faults_ = &faults; }
  void setPipes(FrontPipe& pipes) { pipes_ = &pipes; }

  // What JavaScript has counted as pending already, in a command of kSend.
  void queueCommand(Channel& channel, const int32_t* words);
  void queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length);
  // The same, with a reference of the block.
  void queueShared(Channel& channel, BlockId block, uint32_t offset, uint32_t length);
  // What a filter has made, for the socket.
  void queueEncoded(Channel& channel, BlockId block, uint32_t offset, uint32_t length);
  // What JavaScript has counted as pending in a command of a protocol's.
  void takeCounted(Channel& channel, uint32_t bytes);
  // The connection has something to send, or may have come to its end.
  void markDirty(Channel& channel);
  void flushDirty();
  void flushConnection(Channel& channel);
  void onSend(Channel& channel, const Completion& completion);

  // Of the caller's own memory, behind nothing: bytes taken, 0, or -errno. Flush before.
  ssize_t sendNow(Channel& channel, const uint8_t* data, uint32_t bytes);
  // The same for a pipeline, outside of JavaScript's turn: how many bytes the kernel has not taken.
  uint32_t sendPiped(Channel& channel, const uint8_t* data, uint32_t bytes);
  // One system call for what waits in the queue and for bytes behind it. Answers how many of these
  // the kernel has taken; 0 also when it is not possible now.
  size_t sendBehindQueue(Channel& channel, const uint8_t* data, size_t bytes);
  // Copies what the kernel did not take. False: no memory, and the connection has failed.
  bool queueCopy(Channel& channel, const uint8_t* data, size_t bytes);
  // Behind a filter: encodes what waits and, behind it, the caller's memory, in pieces, as long as
  // the kernel takes all of each. Answers how many of the caller's bytes were encoded, or -EPIPE.
  ssize_t sendEncoded(Channel& channel, const uint8_t* data, size_t bytes);
  // Encodes, and leaves it to a later flush. False: the connection has failed.
  bool queueEncodedCopy(Channel& channel, const uint8_t* data, size_t bytes);

  // For ranges of files.
  void countSent(Channel& channel, uint64_t bytes);
  void handOver(Channel& channel);
  void sendWithoutMemory(Channel& channel);

  void retrySends();
  bool waitsForMemory() const { return !withoutMemory_.empty(); }
  const SendMeter& meter() const { return meter_; }

 private:
  struct Offered {
    Token token;
    uint64_t bytes;
  };

  void sent(Channel& channel, uint64_t bytes);
  ssize_t offer(Channel& channel, const iovec* vectors, uint32_t count) {
    if (faults_ != nullptr) return faults_->send(channel, vectors, count);
    return state_.sockets.send(channel.fd, vectors, count);
  }
  ssize_t sendBytes(Channel& channel, const uint8_t* data, uint32_t bytes);
  bool sendOver(Channel& channel, ssize_t taken, uint64_t offered);
  void sendTogether();
  void addTogether(Channel& channel);
  bool encodeWaiting(Channel& channel);
  void queueDrained(Channel& channel);

  LoopState& state_;
  ChannelEnds& ends_;
  Pending& pending_;
  TurnShares& shares_;
  RouteSwitch& routes_;
  FrontFile* files_ = nullptr;
  SendBatch* together_ = nullptr;  // null: each connection's send is a system call
  std::vector<Offered> offered_;
  FrontPipe* pipes_ = nullptr;
  Faults* faults_ = nullptr;  // null: none was ever asked for
  SendMeter meter_;
  std::vector<Token> dirty_;
  std::vector<Token> withoutMemory_;  // whose send met ENOBUFS or ENOMEM, or was cut off by a fault
};

}  // namespace ringpoll
