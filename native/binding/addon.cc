// The addon's functions. There is one loop per environment, and so no handle argument. Arguments
// were checked in TypeScript: here they are only converted.
#include "addon.h"

#include <unistd.h>

#include "core/base/lock_waits.h"
#include "core/system/host_lookup.h"

namespace ringpoll {

namespace {
struct Addon {
  std::unique_ptr<GuestLoop> guest;
};
}  // namespace

GuestLoop* guestOf(const Napi::CallbackInfo& info) {
  Addon* addon = info.Env().GetInstanceData<Addon>();
  if (addon->guest != nullptr && !addon->guest->stopped()) return addon->guest.get();
  Napi::Error::New(info.Env(), "The loop of this thread has ended").ThrowAsJavaScriptException();
  return nullptr;
}

void reportOpened(GuestLoop& guest, const SocketResult& result, uint32_t endpoint,
                  Token connection) {
  int32_t* control = guest.memory().rings().control;
  control[kResultError] = result.fd < 0 ? result.error : 0;
  control[kResultSyscall] = static_cast<int32_t>(result.syscall);
  control[kResultEndpoint] = static_cast<int32_t>(endpoint);
  control[kResultSlot] = static_cast<int32_t>(slotOf(connection));
  control[kResultGeneration] = static_cast<int32_t>(generationOf(connection));
}

namespace {

void startLoop(const Napi::CallbackInfo& info, Addon* addon) {
  Napi::Env env = info.Env();
  LoopOptions options;
  options.engine = static_cast<EngineChoice>(word(info, 0));
  options.receive = static_cast<ReceiveHint>(word(info, 1));
  options.checked = flag(info, 2);
  options.completionEntries = word(info, 3);
  const std::string refused = GuestLoop::start(env, options, &addon->guest);
  if (refused.empty() || env.IsExceptionPending()) return;
  Napi::Error::New(env, refused).ThrowAsJavaScriptException();
}

// start(engine, receive, checked, completionEntries, onTurn, turnResource) -> memory. Another copy
// of the package's JavaScript finds the loop that the first has started.
Napi::Value Start(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Addon* addon = env.GetInstanceData<Addon>();
  if (addon->guest == nullptr) startLoop(info, addon);
  GuestLoop* guest = env.IsExceptionPending() ? nullptr : guestOf(info);
  if (guest == nullptr) return env.Undefined();
  guest->join(info[4].As<Napi::Function>(), info[5].As<Napi::Object>());
  return guest->memory().object();
}

// A descriptor of the parent process, or of this thread's group.
SocketResult listenOn(GuestLoop& guest, int fd, const ListenOptions& options,
                      const Endpoint& settings, uint32_t* endpoint) {
  GroupSocket socket;
  const bool ofGroup = guest.takeGroupSocket(fd, &socket);
  if (socket.source == nullptr) {
    return guest.loop().adopt(fd, options, settings, endpoint, !ofGroup);
  }
  // The acceptor's socket gets the options, and the connections from it; we need no copy of it.
  const SocketResult adopted = adoptListener(fd, options);
  ::close(fd);
  if (adopted.fd < 0) return adopted;
  return guest.loop().takeFrom(std::move(socket.source), settings, endpoint);
}

// listen(host|path, port|-1, fd|-1, backlog, reusePort, ipv6Only, noDelay, keepAliveMs,
//        maxConnections, idleTimeoutMs, hint, http | undefined, tls | undefined,
//        socketOptions | undefined, handles); the answer is in the control block
void Listen(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  ListenOptions options = toListenOptions(info, 3);
  options.socket = toSocketOptions(info, 13);
  Endpoint settings;
  if (flag(info, 14)) settings.protocol = &guest->openHandles();
  settings.maxConnections = word(info, 8);
  settings.idleTimeoutMs = word(info, 9);
  settings.hint = static_cast<EngineHint>(word(info, 10));
  uint32_t endpoint = 0;
  const int32_t fd = signedWord(info, 2);
  SocketResult result{-1, EINVAL, Syscall::kListen};
  SocketAddress address;
  const bool speaks =
      (!info[11].IsObject() || speakHttp(*guest, info[11].As<Napi::Object>(), &settings)) &&
      (!info[12].IsObject() || speakTls(*guest, info[12].As<Napi::Object>(), &settings));
  if (!speaks) {
    result.error = ENOMEM;
  } else if (fd >= 0) {
    result = listenOn(*guest, fd, options, settings, &endpoint);
  } else if (toAddress(info, 0, &address)) {
    result = guest->loop().listen(address, options, settings, &endpoint);
  }
  reportOpened(*guest, result, endpoint, 0);
  guest->wake();
}

// connect(host|path, port|-1, localHost|'', localPort, timeoutMs, idleTimeoutMs, hint,
//         tls | undefined, socketOptions | undefined, fd | -1, handles)
void Connect(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  Endpoint settings;
  settings.idleTimeoutMs = word(info, 5);
  settings.hint = static_cast<EngineHint>(word(info, 6));
  ClientOptions client{toSocketOptions(info, 8), signedWord(info, 9)};
  if (flag(info, 10)) settings.protocol = &guest->openHandles();
  SocketAddress remote;
  SocketAddress local;
  SocketResult result{-1, EINVAL, Syscall::kConnect};
  Token connection = 0;
  uint32_t endpoint = 0;
  const bool bound = !info[2].As<Napi::String>().Utf8Value().empty();
  if (info[7].IsObject() && !speakTls(*guest, info[7].As<Napi::Object>(), &settings)) {
    result.error = ENOMEM;
  } else if (toAddress(info, 0, &remote) && (!bound || toAddress(info, 2, &local))) {
    result = guest->loop().connect(remote, bound ? &local : nullptr, settings, word(info, 4),
                                   &connection, &endpoint, client);
    client.fd = -1;
  }
  if (client.fd >= 0) ::close(client.fd);
  reportOpened(*guest, result, endpoint, connection);
  guest->wake();
}

// closeListener(endpoint, drain)
void CloseListener(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->loop().closeListener(word(info, 0), flag(info, 1));
}

// connectionsOf(endpoint) -> Uint32Array of slot, generation, ...
Napi::Value ConnectionsOf(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const std::vector<uint32_t> names = guest->loop().connectionsOf(word(info, 0));
  Napi::Uint32Array array = Napi::Uint32Array::New(info.Env(), names.size());
  for (size_t i = 0; i < names.size(); ++i) array[i] = names[i];
  return array;
}

// lookUpHost(name) -> addresses, or Node's name of the error
Napi::Value LookUpHost(const Napi::CallbackInfo& info) {
  const HostLookup found = lookUpHost(info[0].As<Napi::String>().Utf8Value());
  if (found.error != nullptr) return Napi::String::New(info.Env(), found.error);
  Napi::Array array = Napi::Array::New(info.Env(), found.addresses.size());
  for (uint32_t i = 0; i < found.addresses.size(); ++i) array[i] = found.addresses[i];
  return array;
}

// unread(slot, generation) -> whether bytes have come that were not received yet
Napi::Value Unread(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  const bool open = channel != nullptr && channel->state == ChannelState::kOpen;
  return Napi::Boolean::New(info.Env(), open && guest->loop().unread(*channel));
}

// fatalException(error): as if it had reached the top of a callback
void FatalException(const Napi::CallbackInfo& info) { napi_fatal_exception(info.Env(), info[0]); }

// global(): that of the thread, which is not the caller's where each file of a test has its own
Napi::Value Global(const Napi::CallbackInfo& info) { return info.Env().Global(); }

// flush(): takes the commands now, and sends
void Flush(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  guest->loop().flushNow();
  guest->applyReference();
}

// sendLarge(slot, generation, bytes, keptMax) -> count of bytes that have left or are kept
Napi::Value SendLarge(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const auto bytes = info[2].As<Napi::Uint8Array>();
  const auto keptMax = static_cast<size_t>(info[3].As<Napi::Number>().Int64Value());
  const size_t taken = guest->loop().sendLarge(word(info, 0), word(info, 1), bytes.Data(),
                                               bytes.ByteLength(), keptMax);
  guest->applyReference();
  return Napi::Number::New(info.Env(), static_cast<double>(taken));
}

// pipe(slot, generation, otherSlot, otherGeneration, way) -> PipeRefusal, and above it 1 if it is
// of the other one
Napi::Value PipeTwo(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Token first = makeToken(word(info, 0), word(info, 1));
  const Token second = makeToken(word(info, 2), word(info, 3));
  Token refused = 0;
  const PipeRefusal refusal =
      guest->loop().pipe(first, second, static_cast<PipeWay>(word(info, 4)), &refused);
  const uint32_t ofOther = refusal != PipeRefusal::kNone && refused == second ? 16 : 0;
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(refusal) + ofOther);
}

// trySend(slot, generation, bytes) -> count or -errno

Napi::Value TrySend(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  guest->loop().flushNow();
  Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  const auto bytes = info[2].As<Napi::Uint8Array>();
  ssize_t taken = -EPIPE;
  if (channel != nullptr) {
    const size_t most = bytes.ByteLength() < INT32_MAX ? bytes.ByteLength() : INT32_MAX;
    taken = guest->loop().trySend(*channel, bytes.Data(), static_cast<uint32_t>(most));
  }
  return Napi::Number::New(info.Env(), static_cast<double>(taken));
}

}  // namespace

bool toAddress(const Napi::CallbackInfo& info, size_t i, SocketAddress* out) {
  const std::string name = info[i].As<Napi::String>().Utf8Value();
  const int32_t port = signedWord(info, i + 1);
  return port < 0 ? SocketAddress::fromPath(name, out)
                  : SocketAddress::fromIp(name, static_cast<uint16_t>(port), out);
}

ListenOptions toListenOptions(const Napi::CallbackInfo& info, size_t i) {
  ListenOptions options;
  options.backlog = signedWord(info, i);
  options.reusePort = flag(info, i + 1);
  options.ipv6Only = flag(info, i + 2);
  options.noDelay = flag(info, i + 3);
  options.keepAliveMs = signedWord(info, i + 4);
  return options;
}

Napi::Value toObject(Napi::Env env, const AddressText& text) {
  if (text.family == 0) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  if (text.family == AF_UNIX) {
    object.Set("path", text.address);
    return object;
  }
  object.Set("address", text.address);
  object.Set("port", text.port);
  object.Set("family", text.family == AF_INET6 ? "IPv6" : "IPv4");
  return object;
}

namespace {

// address(slot, generation, remote) -> object or undefined
Napi::Value Address(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr) return info.Env().Undefined();
  return toObject(info.Env(),
                  flag(info, 2) ? remoteAddress(channel->fd) : localAddress(channel->fd));
}

// listenerAddress(endpoint) -> object or undefined
Napi::Value ListenerAddress(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  return toObject(info.Env(), guest->loop().listenerAddress(word(info, 0)));
}

// byteCounts(slot, generation, into: Float64Array): read, written
void ByteCounts(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr) return;
  auto into = info[2].As<Napi::Float64Array>();
  into[0] = static_cast<double>(channel->bytesRead);
  into[1] = static_cast<double>(channel->bytesWritten);
}

// setNoDelay(slot, generation, on), setKeepAlive(slot, generation, ms|-1) -> 0 or -errno. They are
// options of TCP: a Unix socket delays nothing and probes nobody.
Napi::Value SetNoDelay(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  int result = channel == nullptr ? -EBADF : 0;
  if (result == 0 && !(channel->flags & kUnixSocket)) {
    result = setNoDelay(channel->fd, flag(info, 2));
  }
  return Napi::Number::New(info.Env(), result);
}

Napi::Value SetKeepAlive(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  int result = channel == nullptr ? -EBADF : 0;
  if (result == 0 && !(channel->flags & kUnixSocket)) {
    result = setKeepAlive(channel->fd, signedWord(info, 2));
  }
  return Napi::Number::New(info.Env(), result);
}

// setReferenced(on)
void SetReferenced(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->setReferenced(flag(info, 0));
}

// setWait(strategy), a WaitStrategy
void SetWait(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->loop().setWaitStrategy(static_cast<WaitStrategy>(word(info, 0)));
}

// wait() -> WaitStrategy
Napi::Value Wait(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<int>(guest->loop().waitStrategy()));
}

// setTrigger(trigger), a Trigger
void SetTrigger(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->loop().setTrigger(static_cast<Trigger>(word(info, 0)));
}

// trigger() -> Trigger
Napi::Value TriggerNow(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<int>(guest->loop().trigger()));
}

// describe() -> { engine, engines: [{ name, available, reason }] }
Napi::Value Describe(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Napi::Object object = Napi::Object::New(info.Env());
  Napi::Array engines = Napi::Array::New(info.Env());
  for (const EngineReport& engine : guest->loop().reports()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", engine.name);
    entry.Set("available", engine.available);
    if (!engine.available) entry.Set("reason", engine.reason);
    engines.Set(engines.Length(), entry);
  }
  object.Set("engine", guest->loop().engineName());
  object.Set("engines", engines);
  return object;
}

// metrics() -> { name: count }
Napi::Value MetricsOf(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Napi::Object object = Napi::Object::New(info.Env());
  const Metrics& metrics = guest->loop().metrics();
#define RINGPOLL_SET(name, meaning) object.Set(#name, static_cast<double>(metrics.name));
  RINGPOLL_METRICS(RINGPOLL_SET)
#undef RINGPOLL_SET
  setHttpMetrics(*guest, object);
  setHttpClientMetrics(*guest, object);
  setWebSocketMetrics(*guest, object);
  setUdpMetrics(*guest, object);
  setTlsMetrics(*guest, object);
  const ArenaStats& arena = guest->loop().arenaStats();
  object.Set("live", guest->loop().live());
  object.Set("connections", guest->loop().connections());
  object.Set("arenaLeases", static_cast<double>(arena.leases));
  object.Set("arenaReused", static_cast<double>(arena.reused));
  object.Set("arenaRefused", static_cast<double>(arena.refused));
  object.Set("arenaOutstanding", arena.outstanding);
  object.Set("arenaPeak", arena.peak);
  object.Set("arenaSlabs", arena.slabs);
  return object;
}

// protocol() -> the numbers that lib/runtime/protocol.ts repeats, for a test to compare
Napi::Value Protocol(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("recordWords", kRecordWords);
  object.Set("eventCapacity", kEventCapacity);
  object.Set("commandCapacity", kCommandCapacity);
  object.Set("copyInsteadOfPinMax", kCopyInsteadOfPinMax);
  object.Set("stagingUsed", static_cast<uint32_t>(kStagingUsed));
  object.Set("turn", static_cast<uint32_t>(kTurn));
  object.Set("resultGeneration", static_cast<uint32_t>(kResultGeneration));
  object.Set("stagingRound", static_cast<uint32_t>(kStagingRound));
  object.Set("resting", static_cast<uint32_t>(kResting));
  object.Set("lastEvent", static_cast<int32_t>(EventKind::kInformational));
  object.Set("lastCommand", static_cast<int32_t>(CommandKind::kClientRaw));
  object.Set("lastSyscall", static_cast<uint32_t>(Syscall::kShutdown));
  object.Set("connectTimeout", kErrorConnectTimeout);
  object.Set("tlsError", kErrorTls);
  object.Set("tlsTruncated", kErrorTlsTruncated);
  object.Set("pendingHeld", kPendingHeld);
  object.Set("meterWords", kMeterWords);
  object.Set("meterDelay", kDelayBuckets);
  object.Set("meterLayers", kLayerBase);
  object.Set("layers", kLayerCount);
  object.Set("sharedLocks", kSharedLocks);
  object.Set("turnRowWords", static_cast<uint32_t>(kTurnRowWords));
  object.Set("pendingOver", kPendingOver);
  return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Addon);
  exports.Set("start", Napi::Function::New<Start>(env));
  exports.Set("listen", Napi::Function::New<Listen>(env));
  exports.Set("connect", Napi::Function::New<Connect>(env));
  exports.Set("closeListener", Napi::Function::New<CloseListener>(env));
  exports.Set("unread", Napi::Function::New<Unread>(env));
  exports.Set("lookUpHost", Napi::Function::New<LookUpHost>(env));
  exports.Set("connectionsOf", Napi::Function::New<ConnectionsOf>(env));
  exports.Set("fatalException", Napi::Function::New<FatalException>(env));
  exports.Set("global", Napi::Function::New<Global>(env));
  exports.Set("flush", Napi::Function::New<Flush>(env));
  exports.Set("sendLarge", Napi::Function::New<SendLarge>(env));
  exports.Set("pipe", Napi::Function::New<PipeTwo>(env));
  exports.Set("trySend", Napi::Function::New<TrySend>(env));
  exports.Set("address", Napi::Function::New<Address>(env));
  exports.Set("listenerAddress", Napi::Function::New<ListenerAddress>(env));
  exports.Set("byteCounts", Napi::Function::New<ByteCounts>(env));
  exports.Set("setNoDelay", Napi::Function::New<SetNoDelay>(env));
  exports.Set("setKeepAlive", Napi::Function::New<SetKeepAlive>(env));
  exports.Set("setReferenced", Napi::Function::New<SetReferenced>(env));
  exports.Set("setTrigger", Napi::Function::New<SetTrigger>(env));
  exports.Set("trigger", Napi::Function::New<TriggerNow>(env));
  exports.Set("setWait", Napi::Function::New<SetWait>(env));
  exports.Set("wait", Napi::Function::New<Wait>(env));
  exports.Set("describe", Napi::Function::New<Describe>(env));
  exports.Set("metrics", Napi::Function::New<MetricsOf>(env));
  exports.Set("protocol", Napi::Function::New<Protocol>(env));
  addHttpFunctions(env, exports);
  addHttpClientFunctions(env, exports);
  addWebSocketFunctions(env, exports);
  addTlsContextFunctions(env, exports);
  addUdpFunctions(env, exports);
  addSocketFunctions(env, exports);
  addAccessFunctions(env, exports);
  addTlsFunctions(env, exports);
  addFileFunctions(env, exports);
  addRouteFunctions(env, exports);
  addFaultFunctions(env, exports);
  addMeteringFunctions(env, exports);
  addThreadFunctions(env, exports);
  addWatchdogFunctions(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(ringpoll, Init)

}  // namespace ringpoll
