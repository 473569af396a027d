#include "scripted_kernel.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringpoll {

int ScriptedKernel::openSocket() {
  sockets_[nextFd_];
  return nextFd_++;
}

bool ScriptedKernel::isOpen(int fd) const {
  const auto at = sockets_.find(fd);
  return at != sockets_.end() && at->second.open;
}

size_t ScriptedKernel::openCount() const {
  return static_cast<size_t>(std::count_if(sockets_.begin(), sockets_.end(),
                                           [](const auto& entry) { return entry.second.open; }));
}

// Real descriptors (of a listener, or of a connect call) are known from their first use.
ScriptedKernel::Socket& ScriptedKernel::socketOf(int fd) { return sockets_[fd]; }

ScriptedKernel::Socket& ScriptedKernel::usable(int fd, const char* what) {
  Socket& socket = socketOf(fd);
  if (!socket.open) violation(std::string(what) + " on a closed descriptor");
  return socket;
}

void ScriptedKernel::willReceive(int fd, std::string bytes) {
  const int answer = static_cast<int>(bytes.size());
  socketOf(fd).receives.push_back({answer, std::move(bytes)});
}
void ScriptedKernel::willReceive(int fd, int answer) {
  socketOf(fd).receives.push_back({answer, {}});
}
void ScriptedKernel::willSend(int fd, ssize_t answer) { socketOf(fd).sends.push_back(answer); }
void ScriptedKernel::willAccept(int listener, int answer) {
  socketOf(listener).accepts.push_back(answer);
}

void ScriptedKernel::complete(int fd, OpKind kind, int32_t result, bool more) {
  due_.push_back({fd, kind, result, more, {}});
}
void ScriptedKernel::completeReceive(int fd, std::string bytes, bool more) {
  const auto size = static_cast<int32_t>(bytes.size());
  due_.push_back({fd, OpKind::kReceive, size, more, std::move(bytes)});
}
void ScriptedKernel::completeSend(int fd, uint32_t bytes) {
  due_.push_back({fd, OpKind::kSend, static_cast<int32_t>(bytes), false, {}});
}

bool ScriptedKernel::inKernel(int fd, OpKind kind) const {
  const auto at = operations_.find(fd);
  return at != operations_.end() &&
         std::any_of(at->second.begin(), at->second.end(),
                     [kind](const Operation& operation) { return operation.kind == kind; });
}

ssize_t ScriptedKernel::receive(int fd, void* buffer, size_t bytes) {
  Socket& socket = usable(fd, "receive");
  if (!socket.receives.empty() && socket.receives.front().answer == kStop) {
    socket.receives.pop_front();
  }
  if (socket.receives.empty()) return -EAGAIN;
  if (socket.receives.front().answer <= 0) {
    const int answer = socket.receives.front().answer;
    socket.receives.pop_front();
    return answer;
  }
  // A stream: what has arrived in several pieces is read as one.
  size_t taken = 0;
  while (taken < bytes && !socket.receives.empty() && socket.receives.front().answer > 0) {
    std::string& next = socket.receives.front().bytes;
    const size_t piece = std::min(bytes - taken, next.size());
    std::memcpy(static_cast<char*>(buffer) + taken, next.data(), piece);
    taken += piece;
    next.erase(0, piece);
    if (next.empty()) socket.receives.pop_front();
  }
  return static_cast<ssize_t>(taken);
}

ssize_t ScriptedKernel::send(int fd, const iovec* vectors, uint32_t count) {
  Socket& socket = usable(fd, "send");
  if (inKernel(fd, OpKind::kSend)) violation("a send call while a send is under way");
  if (socket.finSent) violation("a send after the FIN");
  size_t most = socket.room;
  if (!socket.sends.empty()) {
    const ssize_t answer = socket.sends.front();
    socket.sends.pop_front();
    if (answer < 0) return answer;
    most = std::min(most, static_cast<size_t>(answer));
  }
  if (most == 0) return -EAGAIN;
  size_t taken = 0;
  for (uint32_t i = 0; i < count && taken < most; ++i) {
    const size_t piece = std::min(most - taken, vectors[i].iov_len);
    socket.sent.append(static_cast<const char*>(vectors[i].iov_base), piece);
    taken += piece;
  }
  if (socket.room != SIZE_MAX) socket.room -= taken;
  return static_cast<ssize_t>(taken);
}

int ScriptedKernel::peek(int fd) {
  const std::deque<Receive>& receives = usable(fd, "peek").receives;
  if (receives.empty() || receives.front().answer == kStop) return -EAGAIN;
  return receives.front().answer > 0 ? 1 : receives.front().answer;
}

int ScriptedKernel::accept(int fd) {
  Socket& listener = usable(fd, "accept");
  if (listener.accepts.empty()) return -EAGAIN;
  const int answer = listener.accepts.front();
  listener.accepts.pop_front();
  return answer;
}

int ScriptedKernel::connect(int fd, const sockaddr*, socklen_t) {
  usable(fd, "connect");
  if (connects_.empty()) return -EINPROGRESS;
  const int answer = connects_.front();
  connects_.pop_front();
  return answer;
}

int ScriptedKernel::socketError(int fd) {
  usable(fd, "SO_ERROR");
  if (socketErrors_.empty()) return 0;
  const int error = socketErrors_.front();
  socketErrors_.pop_front();
  return error;
}

void ScriptedKernel::shutdownWrite(int fd) {
  Socket& socket = usable(fd, "shutdown");
  if (inKernel(fd, OpKind::kSend)) violation("a FIN while a send is under way");
  socket.finSent = true;
}
void ScriptedKernel::shutdownBoth(int fd) { usable(fd, "shutdown").finSent = true; }

void ScriptedKernel::close(int fd) {
  Socket& socket = socketOf(fd);
  if (fd < 0 || !socket.open) violation("a descriptor closed twice");
  const auto at = operations_.find(fd);
  if (at != operations_.end() && !at->second.empty()) {
    violation("a descriptor closed while operations are under way");
  }
  socket.open = false;
  if (fd >= 0 && fd < kFirstFd) ::close(fd);
}

}  // namespace ringpoll
