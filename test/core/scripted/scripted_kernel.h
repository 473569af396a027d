// A kernel that does what a test tells it, for tests of everything above the engines.
//
// The test says beforehand what each system call will answer and which completions or edges come
// with the next turn: short reads and writes, EAGAIN, resets, ENOBUFS, an end without `more`,
// completions that arrive long after close(). The kernel watches the other side of the contract
// meanwhile and writes down what breaks it: memory of a send that changed or was given back while
// the send was under way, a second send, anything submitted after close(), a descriptor closed
// twice or used after its close.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/channel/completion.h"
#include "core/system/sockets.h"

namespace ringpoll {

class ScriptedKernel final : public SocketCalls {
 public:
  static constexpr int kFirstFd = 1 << 20;  // far from any real descriptor

  // A descriptor that exists in this kernel alone.
  int openSocket();
  bool isOpen(int fd) const;
  // Descriptors that were opened and not closed, real ones included.
  size_t openCount() const;

  // --- answers of system calls, each used once, in order ------------------------------------
  void willReceive(int fd, std::string bytes);              // bytes that have arrived
  void willReceive(int fd, int answer);                     // 0: FIN, or -errno
  void willStopReading(int fd) { willReceive(fd, kStop); }  // one read ends here
  void willSend(int fd, ssize_t answer);                    // at most so many bytes, or -errno
  void willAccept(int listener, int answer);                // a descriptor, or -errno
  void willConnect(int answer) { connects_.push_back(answer); }
  void willReportError(int error) { socketErrors_.push_back(error); }  // SO_ERROR
  // Without an answer: sends take what there is room for, receives and accepts find nothing.
  void setRoom(int fd, size_t bytes) { socketOf(fd).room = bytes; }  // no limit at first

  // Everything that the kernel took, in order.
  const std::string& sentBytes(int fd) { return socketOf(fd).sent; }
  bool finSent(int fd) { return socketOf(fd).finSent; }

  // --- what the next turn brings, for an engine of completions ------------------------------
  void complete(int fd, OpKind kind, int32_t result, bool more = false);
  void completeReceive(int fd, std::string bytes, bool more = true);
  // A send that takes at most `bytes` of what it was given (which is noted in sentBytes()).
  void completeSend(int fd, uint32_t bytes);
  bool inKernel(int fd, OpKind kind) const;
  // False: operations of a closed channel complete only when the test says so.
  void cancelsComplete(bool on) { cancelsComplete_ = on; }

  // --- and for an engine of readiness -------------------------------------------------------
  // `announced`: bytes that the edge says are there, or 0.
  void edge(int fd, uint8_t ready, uint32_t announced = 0) {
    edges_.push_back({fd, ready, announced});
  }

  // False: nothing that was said is still to come.
  bool hasNews() const { return !due_.empty() || !edges_.empty(); }
  // The next wait lasts so long although something happens in it.
  void waitTakes(uint32_t milliseconds) { waitMs_ = milliseconds; }
  int64_t lastTimeoutNs() const { return lastTimeoutNs_; }

  // What broke the contract, in words.
  const std::vector<std::string>& violations() const { return violations_; }

  // SocketCalls
  ssize_t receive(int fd, void* buffer, size_t bytes) override;
  ssize_t send(int fd, const iovec* vectors, uint32_t count) override;
  int peek(int fd) override;
  int accept(int fd) override;
  int connect(int fd, const sockaddr* address, socklen_t length) override;
  int socketError(int fd) override;
  uint64_t unsentInKernel(int) override { return 0; }
  void shutdownWrite(int fd) override;
  void shutdownBoth(int fd) override;
  void close(int fd) override;

 private:
  friend class ScriptedEngine;
  friend class ScriptedRing;
  friend class ScriptedPoll;

  static constexpr int kStop = INT32_MIN;
  struct Receive {
    int answer;  // bytes.size(), 0 or -errno
    std::string bytes;
  };
  struct Socket {
    bool open = true;
    bool finSent = false;
    std::deque<Receive> receives;
    std::deque<ssize_t> sends;
    std::deque<int> accepts;
    size_t room = SIZE_MAX;
    std::string sent;
  };
  // A piece of a send that is under way, as it was when it was submitted.
  struct Lent {
    BlockId block;
    uint32_t offset;
    std::string bytes;
  };
  struct Operation {
    OpKind kind;
    Token token;
    std::vector<Lent> lent;
  };
  struct Due {
    int fd;
    OpKind kind;
    int32_t result;
    bool more;
    std::string bytes;
  };
  struct Edge {
    int fd;
    uint8_t ready;
    uint32_t announced;
  };

  Socket& socketOf(int fd);
  Socket& usable(int fd, const char* what);
  void violation(const std::string& what) { violations_.push_back(what); }

  std::map<int, Socket> sockets_;
  std::map<int, std::vector<Operation>> operations_;
  std::deque<Due> due_;
  std::vector<Edge> edges_;
  std::deque<int> connects_;
  std::deque<int> socketErrors_;
  std::vector<std::string> violations_;
  int nextFd_ = kFirstFd;
  bool cancelsComplete_ = true;
  uint32_t waitMs_ = 0;
  int64_t lastTimeoutNs_ = 0;
};

}  // namespace ringpoll
