// The io_uring engine. Connections receive by one of two routes:
//   readiness   a multishot poll stays in the ring, and we read into warm memory when it fires;
//   completion  a multishot receive stays in the ring, and the kernel picks a provided buffer.
// Listeners are polled too: a multishot accept is woken alone and takes all that come, so that
// another process on the same listener would get none.
// Sends that the socket did not take at once are SENDMSG operations, whose memory is pinned.
//
// uring.cc asks things of the ring, uring_completions.cc takes its answers.
#pragma once

#include <poll.h>

#include <deque>
#include <vector>

#include "engine.h"
#include "readiness.h"
#include "uring_files.h"
#include "uring_ring.h"
#include "uring_sends.h"

namespace ringpoll::uring {

// What a poll for bytes is woken by.
inline constexpr unsigned kReadInterest = POLLIN | POLLRDHUP | POLLPRI | POLLRDBAND;

// The top byte of user_data: which operation of the channel.
enum class Tag : uint8_t { kIgnore, kPoll, kReceive, kSend, kConnect, kFile, kSendTogether };

constexpr uint64_t tagged(Token token, Tag tag) { return token | static_cast<uint64_t>(tag) << 56; }
constexpr Tag tagOf(uint64_t userData) { return static_cast<Tag>(userData >> 56); }
constexpr Token tokenOf(uint64_t userData) { return userData & 0x00ff'ffff'ffff'ffffull; }

// What the kernel reads while a send or connect is under way: must not move.
struct Record {
  msghdr message;
  iovec vectors[kSendVectorsMax];
  SocketAddress address;
};

class Uring final : public Engine {
 public:
  Uring(EngineContext context, const EngineOptions& options)
      : context_(context),
        options_(options),
        readiness_(context),
        ring_(context.arena, context.metrics),
        files_(ring_, context.ready, context.metrics, static_cast<uint8_t>(Tag::kFile),
               static_cast<uint8_t>(Tag::kIgnore)),
        sends_(ring_, putBy_, static_cast<uint8_t>(Tag::kSendTogether)) {}
  ~Uring() override { stop(); }

  const char* name() const override { return "uring"; }
  std::string start() override { return ring_.open(options_.completionEntries); }
  bool stop() override;

  int attach(Channel&) override { return 0; }
  void accept(Channel& listener) override;
  void receive(Channel& channel) override;
  void pauseReceive(Channel& channel) override;
  void send(Channel& channel) override;
  void connect(Channel& channel, const SocketAddress& address) override;
  void watch(Channel& channel) override { armPoll(channel, POLLIN); }
  void detach(Channel& channel) override;
  void letGo(Channel& channel) override;
  void close(Channel& channel) override;
  void wait(int64_t timeoutNs) override { ring_.enter(putBy_.empty() ? timeoutNs : 0); }
  bool hasEvents() const override { return !putBy_.empty() || ring_.hasCompletions(); }
  bool reap() override;
  void endTurn() override;
  FileEngine* files() override { return &files_; }
  SendBatch* sends() override { return &sends_; }

 private:
  void submitted(Channel& channel, EngineFlag flag) {
    channel.engineFlags |= flag;
    ++channel.inKernel;
    ++inKernel_;
  }
  void armPoll(Channel& channel, unsigned mask);
  void armReceive(Channel& channel);
  void listenForHangup(Channel& channel);
  void cancel(Channel& channel, Tag tag);
  void cancelAll(Channel& channel);
  Record& record(Channel& channel);
  void giveRecord(Channel& channel);
  void finishDetach(Channel& channel);
  void finishClose(Channel& channel);

  bool takePutBy();
  void take(const io_uring_cqe& cqe);
  void polled(Channel& channel, const io_uring_cqe& cqe, bool more);
  void received(Channel& channel, const io_uring_cqe& cqe, bool more);

  EngineContext context_;
  const EngineOptions options_;
  Readiness readiness_;
  Ring ring_;
  UringFiles files_;
  std::vector<PutBy> putBy_;  // completions that came while sends were under way
  UringSends sends_;
  uint64_t inKernel_ = 0;
  bool tookBuffers_ = false;
  bool readinessLeft_ = false;   // channels wait for room in the next turn
  bool readinessFirst_ = false;  // they came first in this one
  std::vector<Token> starved_;   // receives that ended for want of a buffer
  std::deque<Record> records_;
  std::vector<uint32_t> freeRecords_;
};

}  // namespace ringpoll::uring
