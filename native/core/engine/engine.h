// The contract of an engine: the whole idea on one screen.
//
// The loop submits operations on channels and gets completions. An engine that only learns of
// readiness (epoll, kqueue, or poll in the ring) does the system call itself and yields the same
// completions, so nothing above this line knows which engine runs below it.
//
//   accept   each completion is a descriptor; goes on until an error, which EAGAIN is not: there
//            is more, but other processes on this listener should have a part of it first
//   receive  each completion is bytes in an arena block; ends with 0 (FIN) or -errno
//   hangup   comes unasked, while nothing is received: the peer has reset the connection, or it is
//            over both ways. May be wrong or come twice: ask the socket
//   send     one completion: how many bytes of the channel's queue have left, or -errno
//   connect  one completion: 0 or -errno
//   of a datagram socket its protocol receives and sends: receive() yields watch completions while
//   there may be something to receive, and send() one completion when there may be room
//   of a connection with kTellsReadable receive() yields watch completions too, by the routes of
//   readiness; whoever reads it sets kReadable again while something may be left
//   watch    each completion says that a foreign descriptor may be readable (edge)
//   detach   one completion, after those of all that was received: the engine has forgotten the
//            channel, which may go to another one or start again here by another route
//   close    one completion, the channel's last: the descriptor is closed, and the kernel holds
//            no memory of it. Whatever else was under way has completed before. From the moment
//            of its close channel.fd is -1: the number may be somebody else's already.
//
// An operation that completes with `more` goes on by itself; otherwise it is over.
#pragma once

#include <memory>
#include <string>

#include "core/base/metrics.h"
#include "core/channel/channel_table.h"
#include "core/channel/completion.h"
#include "core/memory/receive_buffers.h"
#include "core/system/sockets.h"
#include "trigger.h"

namespace ringpoll {

class FileEngine;
class SendBatch;

// What engines share with the loop that owns them.
struct EngineContext {
  Arena& arena;
  ChannelTable& channels;
  ReceiveBuffers& buffers;
  SendQueues& queues;
  SocketCalls& sockets;
  ReadyQueue& ready;
  Metrics& metrics;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual const char* name() const = 0;

  // Tries it for real. Empty: it runs. Otherwise the reason why it cannot, for people to read.
  virtual std::string start() = 0;
  // Ends everything; returns when the kernel can no longer write to our memory. False: it did not
  // let go in time (kStopWaitMs), and the memory has to be left alone until a later call says so.
  virtual bool stop() = 0;

  // Registers the channel's descriptor; 0 or -errno. All other operations come after this one.
  virtual int attach(Channel& channel) = 0;
  virtual void accept(Channel& listener) = 0;
  virtual void receive(Channel& channel) = 0;
  // Bytes that the kernel has handed over already may still arrive.
  virtual void pauseReceive(Channel& channel) = 0;
  // Sends from channel.sends, whose memory must stay until the completion. One at a time.
  virtual void send(Channel& channel) = 0;
  virtual void connect(Channel& channel, const SocketAddress& address) = 0;
  virtual void watch(Channel& channel) = 0;
  // Nothing was asked of the channel but receive(), and nothing will be until the completion,
  // except pauseReceive() and close(). A close() overtakes it: then there may be no completion.
  virtual void detach(Channel& channel) = 0;
  // The same, and waits for the completion, at most kStopWaitMs: without it channel.inKernel is not
  // 0. What comes for other channels meanwhile is put by.
  virtual void letGo(Channel& channel) { detach(channel); }
  virtual void close(Channel& channel) = 0;

  // Hands submissions to the kernel and waits for events: 0 polls, -1 waits without limit.
  virtual void wait(int64_t timeoutNs) = 0;
  // The last wait has brought some.
  virtual bool hasEvents() const = 0;
  // Moves what has happened into the ready queue, as far as the turn's budgets allow. True: there
  // is more, so the next wait must not block.
  virtual bool reap() = 0;
  // JavaScript has seen this turn's completions; their blocks may be used again.
  virtual void endTurn() {}
  // How it tells of connections, from now on; without a meaning to most.
  virtual void setTrigger(Trigger) {}
  // Operations on files, from the one engine that has them: see file_engine.h.
  virtual FileEngine* files() { return nullptr; }
  // Many sends in one call, from an engine that has that: see send_batch.h.
  virtual SendBatch* sends() { return nullptr; }
  // The descriptor that becomes readable when this engine has events, or -1.
  virtual int pollableFd() const { return -1; }
};

struct EngineOptions {
  uint32_t completionEntries = kCompletionEntries;
};

std::unique_ptr<Engine> makeUring(EngineContext context, const EngineOptions& options);
std::unique_ptr<Engine> makeEpoll(EngineContext context);
std::unique_ptr<Engine> makeKqueue(EngineContext context);

}  // namespace ringpoll
