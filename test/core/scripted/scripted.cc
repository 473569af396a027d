#include "scripted.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "core/engine/readiness.h"

namespace ringpoll {

namespace {
const char* nameOf(OpKind kind) {
  static constexpr const char* kNames[] = {"accept", "receive", "send",   "connect", "watch",
                                           "close",  "file",    "detach", "hangup"};
  return kNames[static_cast<size_t>(kind)];
}
}  // namespace

// --- what both engines check ----------------------------------------------------------------

class ScriptedEngine : public Engine {
 public:
  ScriptedEngine(EngineContext context, ScriptedKernel& kernel)
      : context_(context), kernel_(kernel) {}

  const char* name() const override { return "scripted"; }
  std::string start() override { return ""; }
  bool stop() override {
    kernel_.operations_.clear();
    return true;
  }

  int attach(Channel& channel) override {
    if (!attached_.insert(channel.token()).second) kernel_.violation("attached twice");
    kernel_.usable(channel.fd, "attach");
    return 0;
  }

  void wait(int64_t timeoutNs) override {
    kernel_.lastTimeoutNs_ = timeoutNs;
    const auto pause = std::chrono::milliseconds(std::exchange(kernel_.waitMs_, 0));
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
  }

  bool hasEvents() const override { return true; }

 protected:
  void submitted(const Channel& channel, const char* what) {
    const Token token = channel.token();
    if (attached_.count(token) == 0) kernel_.violation(std::string(what) + " before attach");
    if (closed_.count(token) != 0) kernel_.violation(std::string(what) + " after close");
    if (context_.channels.find(token) != &channel) {
      kernel_.violation(std::string(what) + " on a channel that is over");
    }
  }
  void closing(const Channel& channel) {
    submitted(channel, "close");
    closed_.insert(channel.token());
  }

  void detached(const Channel& channel) {
    if (channel.inKernel > 0) kernel_.violation("detached with an operation under way");
    attached_.erase(channel.token());
    context_.ready.push(channel.token(), OpKind::kDetach, 0);
  }

  // Notes the memory that a send refers to: it must stay as it is until the completion.
  std::vector<ScriptedKernel::Lent> lend(const Channel& channel) {
    std::vector<ScriptedKernel::Lent> lent;
    if (channel.sends.empty()) kernel_.violation("a send of nothing");
    for (const SendNode* node = channel.sends.head;
         node != nullptr && lent.size() < kSendVectorsMax; node = node->next) {
      if (!node->pinned) kernel_.violation("a send of memory that nobody keeps");
      const auto* data = reinterpret_cast<const char*>(context_.arena.data(node->block));
      lent.push_back({node->block, node->offset, {data + node->offset, node->length}});
    }
    return lent;
  }
  void checkLent(const std::vector<ScriptedKernel::Lent>& lent) {
    for (const ScriptedKernel::Lent& piece : lent) {
      const auto size = static_cast<uint32_t>(piece.bytes.size());
      if (!context_.arena.contains(piece.block, piece.offset, size)) {
        kernel_.violation("memory given back while its send is under way");
      } else if (std::memcmp(context_.arena.data(piece.block) + piece.offset, piece.bytes.data(),
                             size) != 0) {
        kernel_.violation("memory changed while its send is under way");
      }
    }
  }

  EngineContext context_;
  ScriptedKernel& kernel_;

 private:
  std::set<Token> attached_;
  std::set<Token> closed_;
};

// --- completions ----------------------------------------------------------------------------

class ScriptedRing final : public ScriptedEngine {
 public:
  using ScriptedEngine::ScriptedEngine;

  void accept(Channel& listener) override { submit(listener, OpKind::kAccept); }
  void watch(Channel& channel) override { submit(channel, OpKind::kWatch); }
  void connect(Channel& channel, const SocketAddress&) override {
    submit(channel, OpKind::kConnect);
  }

  void receive(Channel& channel) override {
    channel.engineFlags |= kWantReceive;
    if (kernel_.inKernel(channel.fd, OpKind::kReceive)) return;
    submit(channel, OpKind::kReceive);
  }
  void pauseReceive(Channel& channel) override { channel.engineFlags &= ~kWantReceive; }

  void send(Channel& channel) override {
    if (kernel_.inKernel(channel.fd, OpKind::kSend)) kernel_.violation("a second send");
    submit(channel, OpKind::kSend).lent = lend(channel);
  }

  void detach(Channel& channel) override {
    submitted(channel, "detach");
    if (kernel_.inKernel(channel.fd, OpKind::kSend)) kernel_.violation("detach during a send");
    channel.engineFlags &= ~kWantReceive;
    channel.engineFlags |= kDetaching;
    if (channel.inKernel == 0) {
      finishDetach(channel);
    } else if (kernel_.cancelsComplete_) {
      kernel_.due_.push_back({channel.fd, OpKind::kReceive, -ECANCELED, false, {}});
    }
  }

  void close(Channel& channel) override {
    closing(channel);
    closing_.push_back(channel.token());
    if (channel.inKernel == 0) finishCloses();
    if (!kernel_.cancelsComplete_) return;
    for (const auto& operation : kernel_.operations_[channel.fd]) {
      kernel_.due_.push_back({channel.fd, operation.kind, -ECANCELED, false, {}});
    }
  }

  bool reap() override {
    for (const auto& [fd, operations] : kernel_.operations_) {
      for (const auto& operation : operations) checkLent(operation.lent);
    }
    while (!kernel_.due_.empty() && context_.ready.room() > 2) {
      const auto due = std::move(kernel_.due_.front());
      kernel_.due_.pop_front();
      take(due);
    }
    finishCloses();
    return !kernel_.due_.empty();
  }

  // Blocks of this turn are used again, as a ring's provided buffers are.
  void endTurn() override {
    for (BlockId block : handedOut_) context_.arena.release(block);
    handedOut_.clear();
  }
  bool stop() override {
    endTurn();
    return ScriptedEngine::stop();
  }

 private:
  ScriptedKernel::Operation& submit(Channel& channel, OpKind kind) {
    submitted(channel, nameOf(kind));
    kernel_.usable(channel.fd, nameOf(kind));
    auto& operations = kernel_.operations_[channel.fd];
    ++channel.inKernel;
    operations.push_back({kind, channel.token(), {}});
    return operations.back();
  }

  void take(ScriptedKernel::Due due) {
    auto& operations = kernel_.operations_[due.fd];
    const auto at = std::find_if(operations.begin(), operations.end(),
                                 [&due](const auto& each) { return each.kind == due.kind; });
    if (at == operations.end()) {
      // Cancelled and completed in the same breath: the kernel says it once.
      if (due.result != -ECANCELED) kernel_.violation(std::string("no ") + nameOf(due.kind));
      return;
    }
    const Token token = at->token;
    if (due.kind == OpKind::kSend) noteSent(*at, due);
    Channel* channel = context_.channels.find(token);
    if (!due.more) {
      operations.erase(at);
      --channel->inKernel;
    }
    const bool detaching =
        (channel->engineFlags & kDetaching) && channel->state != ChannelState::kClosing;
    if (due.kind == OpKind::kReceive && due.result > 0) {
      takeBytes(token, due);
    } else if (!detaching || due.result != -ECANCELED) {
      context_.ready.push(token, due.kind, due.result, due.more);
    }
    if (detaching && channel->inKernel == 0) finishDetach(*channel);
  }

  void finishDetach(Channel& channel) {
    channel.engineFlags &= ~kDetaching;
    detached(channel);
  }

  void takeBytes(Token token, const ScriptedKernel::Due& due) {
    const auto size = static_cast<uint32_t>(due.bytes.size());
    const BlockId block = context_.arena.lease(size);
    if (block == kNoBlock) {
      context_.ready.push(token, OpKind::kReceive, -ENOMEM);
      return;
    }
    std::memcpy(context_.arena.data(block), due.bytes.data(), size);
    handedOut_.push_back(block);
    context_.ready.push({token, OpKind::kReceive, due.more, due.result, block, 0});
    rearm(token, due.more);
  }

  // The engine's part: a receive that ended without an error goes on.
  void rearm(Token token, bool more) {
    Channel* channel = context_.channels.find(token);
    if (more || channel->state == ChannelState::kClosing) return;
    if (channel->engineFlags & kWantReceive) submit(*channel, OpKind::kReceive);
  }

  void noteSent(const ScriptedKernel::Operation& operation, ScriptedKernel::Due& due) {
    checkLent(operation.lent);
    std::string all;
    for (const auto& piece : operation.lent) all += piece.bytes;
    due.result = std::min(due.result, static_cast<int32_t>(all.size()));
    if (due.result <= 0) return;
    kernel_.socketOf(due.fd).sent.append(all, 0, static_cast<size_t>(due.result));
  }

  void finishCloses() {
    std::vector<Token> unfinished;
    for (Token token : closing_) {
      Channel* channel = context_.channels.find(token);
      if (channel->inKernel > 0) {
        unfinished.push_back(token);
        continue;
      }
      context_.sockets.close(channel->fd);
      channel->fd = -1;
      channel->engineFlags = 0;
      context_.ready.push(token, OpKind::kClose, 0);
    }
    closing_ = std::move(unfinished);
  }

  std::vector<Token> closing_;
  std::vector<BlockId> handedOut_;
};

// --- readiness ------------------------------------------------------------------------------

class ScriptedPoll final : public ScriptedEngine {
 public:
  ScriptedPoll(EngineContext context, ScriptedKernel& kernel)
      : ScriptedEngine(context, kernel), readiness_(context) {}

  void accept(Channel& listener) override {
    submitted(listener, "accept");
    names_[listener.fd] = listener.token();
    readiness_.accept(listener);
  }
  void receive(Channel& channel) override {
    submitted(channel, "receive");
    names_[channel.fd] = channel.token();
    channel.engineFlags |= kWantReceive;
    readiness_.resume(channel);
  }
  void pauseReceive(Channel& channel) override { channel.engineFlags &= ~kWantReceive; }
  void send(Channel& channel) override {
    submitted(channel, "send");
    if (channel.engineFlags & kWantSend) kernel_.violation("a second send");
    lent_[channel.token()] = lend(channel);
    channel.engineFlags |= kWantSend;
    channel.engineFlags &= ~kWritable;
  }
  void connect(Channel& channel, const SocketAddress& address) override {
    submitted(channel, "connect");
    names_[channel.fd] = channel.token();
    const int result = context_.sockets.connect(channel.fd, address.get(), address.length);
    if (result != -EINPROGRESS) context_.ready.push(channel.token(), OpKind::kConnect, result);
  }
  void watch(Channel& channel) override {
    submitted(channel, "watch");
    names_[channel.fd] = channel.token();
    readiness_.resume(channel);
  }
  void detach(Channel& channel) override {
    submitted(channel, "detach");
    if (channel.engineFlags & kWantSend) kernel_.violation("detach during a send");
    names_.erase(channel.fd);
    channel.engineFlags &= ~kWantReceive;
    readiness_.forget(channel);
    detached(channel);
  }
  void close(Channel& channel) override {
    closing(channel);
    names_.erase(channel.fd);
    lent_.erase(channel.token());
    context_.sockets.close(channel.fd);
    channel.fd = -1;
    channel.engineFlags = 0;
    context_.ready.push(channel.token(), OpKind::kClose, 0);
  }

  void wait(int64_t timeoutNs) override {
    ScriptedEngine::wait(timeoutNs);
    for (const auto& edge : std::exchange(kernel_.edges_, {})) {
      const auto at = names_.find(edge.fd);
      Channel* channel = at == names_.end() ? nullptr : context_.channels.find(at->second);
      if (channel != nullptr) readiness_.mark(*channel, edge.ready, edge.announced);
    }
  }
  bool reap() override {
    for (auto at = lent_.begin(); at != lent_.end();) {
      const Channel* channel = context_.channels.find(at->first);
      if (channel == nullptr || !(channel->engineFlags & kWantSend)) {
        at = lent_.erase(at);
        continue;
      }
      checkLent(at->second);
      ++at;
    }
    return readiness_.service();
  }

 private:
  Readiness readiness_;
  std::map<int, Token> names_;
  std::map<Token, std::vector<ScriptedKernel::Lent>> lent_;
};

std::unique_ptr<Engine> makeScriptedRing(EngineContext context, ScriptedKernel& kernel) {
  return std::make_unique<ScriptedRing>(context, kernel);
}
std::unique_ptr<Engine> makeScriptedPoll(EngineContext context, ScriptedKernel& kernel) {
  return std::make_unique<ScriptedPoll>(context, kernel);
}

}  // namespace ringpoll
