// Groups of threads: the listening sockets that they share, their acceptor, and where threads run.
// Groups are named by numbers, because only such values pass between the threads' JavaScript.
#include <cerrno>
#include <map>

#include "addon.h"
#include "core/base/lock_waits.h"
#include "core/handoff/group.h"
#include "core/system/affinity.h"
#include "core/system/wake.h"
#include "reading.h"
#include "uv_threads.h"

namespace ringpoll {

namespace {

constexpr uint32_t kCountsPerThread = 6;

struct Running {
  std::shared_ptr<Group> group;
  Napi::Env owner;
  pthread_t acceptor{};
  bool accepts = false;
};

// Of the process. It is never destroyed: an acceptor may outlive main().
class Registry {
 public:
  static Registry& get() {
    static auto* registry = new Registry;
    return *registry;
  }

  uint32_t add(std::unique_ptr<Running> running) {
    const Lock lock(mutex_);
    groups_[++last_] = std::move(running);
    return last_;
  }
  std::shared_ptr<Group> find(uint32_t id) {
    const Lock lock(mutex_);
    const auto found = groups_.find(id);
    return found == groups_.end() ? nullptr : found->second->group;
  }
  std::unique_ptr<Running> remove(uint32_t id) {
    const Lock lock(mutex_);
    const auto found = groups_.find(id);
    if (found == groups_.end()) return nullptr;
    std::unique_ptr<Running> running = std::move(found->second);
    groups_.erase(found);
    return running;
  }
  // The acceptor's thread, once: only the owner's environment asks.
  Running* running(uint32_t id) {
    const Lock lock(mutex_);
    const auto found = groups_.find(id);
    return found == groups_.end() ? nullptr : found->second.get();
  }
  // Of one owner.
  uint32_t firstOf(napi_env owner) {
    const Lock lock(mutex_);
    for (const auto& [id, running] : groups_) {
      if (static_cast<napi_env>(running->owner) == owner) return id;
    }
    return 0;
  }

 private:
  class Lock {
   public:
    explicit Lock(pthread_mutex_t& mutex) : mutex_(mutex) {
      lockCounted(
          SharedLock::kThreadGroups, [&] { return uv_mutex_trylock(&mutex_) == 0; },
          [&] { uv_mutex_lock(&mutex_); });
    }
    ~Lock() { uv_mutex_unlock(&mutex_); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    pthread_mutex_t& mutex_;
  };

  Registry() { uv_mutex_init(&mutex_); }
  ~Registry() = default;

  pthread_mutex_t mutex_;
  std::map<uint32_t, std::unique_ptr<Running>> groups_;
  uint32_t last_ = 0;
};

void stopAccepting(Running& running) {
  if (!running.accepts) return;
  running.accepts = false;
  running.group->stopAccepting();
  uv_thread_join(&running.acceptor);
}

void onOwnerExit(void* env) {
  Registry& registry = Registry::get();
  while (const uint32_t id = registry.firstOf(static_cast<napi_env>(env))) {
    const std::unique_ptr<Running> running = registry.remove(id);
    stopAccepting(*running);
  }
}

void runAcceptor(void* argument) {
  const std::unique_ptr<std::shared_ptr<Group>> group(
      static_cast<std::shared_ptr<Group>*>(argument));
  SocketCalls sockets;
  (*group)->accept(sockets);
}

// nullptr, with an exception pending, when the group is over.
std::shared_ptr<Group> groupOf(const Napi::CallbackInfo& info) {
  std::shared_ptr<Group> group = Registry::get().find(word(info, 0));
  if (group == nullptr) {
    Napi::Error::New(info.Env(), "The group of this thread is over").ThrowAsJavaScriptException();
  }
  return group;
}

// groupOpen(threads, balance) -> number of the group, or 0: no thread for the acceptor
Napi::Value GroupOpen(const Napi::CallbackInfo& info) {
  const auto balance = static_cast<Balance>(word(info, 1));
  auto running = std::make_unique<Running>(
      Running{std::make_shared<Group>(word(info, 0), balance), info.Env()});
  if (balance != Balance::kReusePort) {
    auto* argument = new std::shared_ptr<Group>(running->group);
    if (uv_thread_create(&running->acceptor, runAcceptor, argument) != 0) {
      delete argument;
      return Napi::Number::New(info.Env(), 0);
    }
    running->accepts = true;
  }
  napi_env env = info.Env();
  if (Registry::get().firstOf(env) == 0) napi_add_env_cleanup_hook(env, onOwnerExit, env);
  return Napi::Number::New(info.Env(), Registry::get().add(std::move(running)));
}

// groupStopAccepting(group): returns when those that waited are handed over
void GroupStopAccepting(const Napi::CallbackInfo& info) {
  Running* running = Registry::get().running(word(info, 0));
  if (running != nullptr) stopAccepting(*running);
}

// groupClose(group): its listening sockets are closed when no thread has them any more
void GroupClose(const Napi::CallbackInfo& info) {
  const std::unique_ptr<Running> running = Registry::get().remove(word(info, 0));
  if (running == nullptr) return;
  stopAccepting(*running);
  napi_env env = info.Env();
  if (Registry::get().firstOf(env) == 0) napi_remove_env_cleanup_hook(env, onOwnerExit, env);
}

// groupListen(group, host|path, port|-1, backlog, reusePort, ipv6Only, noDelay, keepAliveMs)
//   -> [listener | -1, errno, syscall]
Napi::Value GroupListen(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Group> group = groupOf(info);
  if (group == nullptr) return info.Env().Undefined();
  SocketAddress address;
  SocketResult result{-1, EINVAL, Syscall::kListen};
  uint32_t listener = 0;
  if (toAddress(info, 1, &address)) {
    result = group->listen(address, toListenOptions(info, 3), &listener);
  }
  Napi::Array array = Napi::Array::New(info.Env(), 3);
  array.Set(0u, result.fd < 0 ? -1 : static_cast<int32_t>(listener));
  array.Set(1u, result.error);
  array.Set(2u, static_cast<int32_t>(result.syscall));
  return array;
}

// groupAddress(group, listener) -> object
Napi::Value GroupAddress(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Group> group = groupOf(info);
  if (group == nullptr) return info.Env().Undefined();
  return toObject(info.Env(), group->address(word(info, 1)));
}

// groupJoin(group, thread): the loop of this thread counts there
void GroupJoin(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  const std::shared_ptr<Group> group = guest == nullptr ? nullptr : groupOf(info);
  if (group == nullptr) return;
  guest->loop().countIn(std::shared_ptr<LoopCounters>(group, &group->counters(word(info, 1))));
}

// groupTake(group, listener, thread) -> descriptor for listen(), or -errno
Napi::Value GroupTake(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  const std::shared_ptr<Group> group = guest == nullptr ? nullptr : groupOf(info);
  if (group == nullptr) return info.Env().Undefined();
  const uint32_t listener = word(info, 1);
  const uint32_t thread = word(info, 2);
  const int fd = group->share(listener, thread);
  if (fd >= 0) {
    std::shared_ptr<AcceptSource> source;
    if (group->balance() != Balance::kReusePort) {
      source = std::shared_ptr<AcceptSource>(group, &group->mailbox(listener, thread));
    }
    guest->giveGroupSocket(fd, std::move(source));
  }
  return Napi::Number::New(info.Env(), fd);
}

// groupServe(group, thread, endpoints: Uint32Array) -> whether there is memory for it: connections
// that other threads hand over are taken, for the endpoint of each of the group's listeners
Napi::Value GroupServe(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  const std::shared_ptr<Group> group = guest == nullptr ? nullptr : groupOf(info);
  if (group == nullptr) return info.Env().Undefined();
  const auto given = info[2].As<Napi::Uint32Array>();
  std::vector<uint32_t> endpoints(given.Data(), given.Data() + given.ElementLength());
  const bool takes = guest->loop().takeArrivals(
      std::shared_ptr<ArrivalSource>(group, &group->box(word(info, 1))), std::move(endpoints));
  guest->wake();
  return Napi::Boolean::New(info.Env(), takes);
}

// groupLeave(): not any more, after those that wait
void GroupLeave(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  guest->loop().leaveArrivals();
  guest->wake();
}

void append(std::vector<uint8_t>& to, const Napi::Value& bytes) {
  const ByteView given = bytesIn(bytes);
  to.insert(to.end(), given.data, given.data + given.length);
}

// groupTransfer(group, thread, listener, slot, generation, unread: Uint8Array[], note: Uint8Array)
//   -> a Posting, or -errno. After anything but kTaken the connection goes on here
Napi::Value GroupTransfer(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  const std::shared_ptr<Group> group = guest == nullptr ? nullptr : groupOf(info);
  if (group == nullptr) return info.Env().Undefined();
  const auto answer = [&](int value) { return Napi::Number::New(info.Env(), value); };
  Loop& loop = guest->loop();
  Channel* channel = loop.find(word(info, 3), word(info, 4));
  if (channel == nullptr || channel->state != ChannelState::kOpen) return answer(-EBADF);
  const Napi::Value pieces = info[5];
  size_t bytes = 0;
  for (uint32_t i = 0; i < lengthOf(pieces); ++i) bytes += bytesIn(element(pieces, i)).length;
  const int fd = bytes > kTransferBytesMax ? -EMSGSIZE : duplicate(channel->fd);
  if (fd < 0) {
    loop.stay(*channel);
    return answer(fd);
  }
  auto arrival = std::make_unique<Arrival>(fd, word(info, 2));
  for (uint32_t i = 0; i < lengthOf(pieces); ++i) append(arrival->unread, element(pieces, i));
  append(arrival->note, info[6]);
  if (ending(info.Env())) {
    loop.stay(*channel);
    return info.Env().Undefined();
  }
  const Posting posting = group->box(word(info, 1)).post(arrival);
  if (posting == Posting::kTaken) {
    loop.leave(*channel);
  } else {
    loop.stay(*channel);
  }
  return answer(static_cast<int>(posting));
}

// groupCounts(group, into: Float64Array): for each thread connections, held, accepted, turns, ms of
// the turn that goes on (0: none), loops that wait; then accepted and failures of the acceptor
void GroupCounts(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Group> group = groupOf(info);
  if (group == nullptr) return;
  auto into = info[1].As<Napi::Float64Array>();
  const uint64_t nowMs = uv_hrtime() / 1'000'000;
  for (uint32_t i = 0; i < group->threads(); ++i) {
    const LoopCounters& counters = group->counters(i);
    const uint64_t since = counters.turnSinceMs.load(std::memory_order_relaxed);
    const size_t at = static_cast<size_t>(i) * kCountsPerThread;
    into[at] = counters.connections.load(std::memory_order_relaxed);
    into[at + 1] = group->held(i);
    into[at + 2] = static_cast<double>(counters.accepted.load(std::memory_order_relaxed));
    into[at + 3] = static_cast<double>(counters.turns.load(std::memory_order_relaxed));
    into[at + 4] = since == 0 || since > nowMs ? 0 : static_cast<double>(nowMs - since);
    into[at + 5] = counters.waiting.load(std::memory_order_relaxed);
  }
  const size_t end = static_cast<size_t>(group->threads()) * kCountsPerThread;
  into[end] = static_cast<double>(group->accepted());
  into[end + 1] = static_cast<double>(group->acceptErrors());
}

// pinThread(cpus: Uint32Array) -> 0, or -errno: of the calling thread
Napi::Value PinThread(const Napi::CallbackInfo& info) {
  const auto cpus = info[0].As<Napi::Uint32Array>();
  return Napi::Number::New(info.Env(), pinThread(cpus.Data(), cpus.ElementLength()));
}

// threadCpus() -> Uint32Array of the processors that the calling thread may run on
Napi::Value ThreadCpus(const Napi::CallbackInfo& info) {
  const std::vector<uint32_t> cpus = threadCpus();
  Napi::Uint32Array array = Napi::Uint32Array::New(info.Env(), cpus.size());
  for (size_t i = 0; i < cpus.size(); ++i) array[i] = cpus[i];
  return array;
}

// threadId() -> the kernel's number of the calling thread, or 0
Napi::Value ThreadId(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), threadId());
}

}  // namespace

void addThreadFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("groupOpen", Napi::Function::New<GroupOpen>(env));
  exports.Set("groupStopAccepting", Napi::Function::New<GroupStopAccepting>(env));
  exports.Set("groupClose", Napi::Function::New<GroupClose>(env));
  exports.Set("groupListen", Napi::Function::New<GroupListen>(env));
  exports.Set("groupAddress", Napi::Function::New<GroupAddress>(env));
  exports.Set("groupJoin", Napi::Function::New<GroupJoin>(env));
  exports.Set("groupTake", Napi::Function::New<GroupTake>(env));
  exports.Set("groupServe", Napi::Function::New<GroupServe>(env));
  exports.Set("groupLeave", Napi::Function::New<GroupLeave>(env));
  exports.Set("groupTransfer", Napi::Function::New<GroupTransfer>(env));
  exports.Set("groupCounts", Napi::Function::New<GroupCounts>(env));
  exports.Set("pinThread", Napi::Function::New<PinThread>(env));
  exports.Set("threadCpus", Napi::Function::New<ThreadCpus>(env));
  exports.Set("threadId", Napi::Function::New<ThreadId>(env));
}

}  // namespace ringpoll
