// The addon's functions for sockets that come from elsewhere, for options of sockets, and for
// handles: what lib/net builds in the place of libuv's.
#include <unistd.h>

#include "addon.h"
#include "core/raw/handle_protocol.h"
#include "core/system/wake.h"

namespace ringpoll {

Protocol& GuestLoop::openHandles() {
  if (handles_ == nullptr) {
    auto made = std::make_unique<HandleProtocol>(loop_->arena(), loop_->eventWriter());
    handles_ = made.get();
    loop_->addProtocol(std::move(made));
  }
  return *handles_;
}

SocketOptions toSocketOptions(const Napi::CallbackInfo& info, size_t i) {
  SocketOptions options;
  if (!info[i].IsTypedArray()) return options;
  const auto given = info[i].As<Napi::Int32Array>();
  constexpr auto count = static_cast<size_t>(SocketOption::kCount);
  for (size_t k = 0; k < count && k < given.ElementLength(); ++k) options.values[k] = given[k];
  return options;
}

namespace {

Channel* channelOf(const Napi::CallbackInfo& info, GuestLoop& guest) {
  return guest.loop().find(word(info, 0), word(info, 1));
}

// bindSocket(host|path, port|-1, ipv6Only) -> descriptor or -errno
Napi::Value BindSocket(const Napi::CallbackInfo& info) {
  SocketAddress address;
  const int fd = toAddress(info, 0, &address) ? bindSocket(address, flag(info, 2)) : -EINVAL;
  return Napi::Number::New(info.Env(), fd);
}

// tellUnixSocket(path, text) -> 0 or -errno
Napi::Value TellUnixSocket(const Napi::CallbackInfo& info) {
  SocketAddress address;
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const std::string text = info[1].As<Napi::String>().Utf8Value();
  const int result =
      SocketAddress::fromPath(path, &address) ? tellUnixSocket(address, text) : -EINVAL;
  return Napi::Number::New(info.Env(), result);
}

// closeSocket(fd): one of bindSocket() or release()
void CloseSocket(const Napi::CallbackInfo& info) { ::close(signedWord(info, 0)); }

// socketName(fd) -> object or undefined
Napi::Value SocketName(const Napi::CallbackInfo& info) {
  return toObject(info.Env(), localAddress(signedWord(info, 0)));
}

// duplicateSocket(fd) -> a descriptor of the caller's, or -errno
Napi::Value DuplicateSocket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), duplicate(signedWord(info, 0)));
}

// adopt(fd, idleTimeoutMs, hint, handles, tls | undefined); the answer is in the control block
void Adopt(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  const int fd = signedWord(info, 0);
  Endpoint settings;
  settings.idleTimeoutMs = word(info, 1);
  settings.hint = static_cast<EngineHint>(word(info, 2));
  if (flag(info, 3)) settings.protocol = &guest->openHandles();
  Token connection = 0;
  uint32_t endpoint = 0;
  SocketResult result{-1, ENOMEM, Syscall::kConnect};
  if (!info[4].IsObject() || speakTls(*guest, info[4].As<Napi::Object>(), &settings)) {
    result = guest->loop().adoptConnection(fd, settings, &connection, &endpoint);
  }
  reportOpened(*guest, result, endpoint, connection);
  guest->wake();
}

// descriptor(slot, generation) -> fd, or -1 when it is over
Napi::Value Descriptor(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = channelOf(info, *guest);
  return Napi::Number::New(info.Env(), channel == nullptr ? -1 : channel->fd);
}

// listenerDescriptor(endpoint) -> the same
Napi::Value ListenerDescriptor(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().listenerOf(word(info, 0));
  return Napi::Number::New(info.Env(), channel == nullptr ? -1 : channel->fd);
}

// release(slot, generation, received: Uint8Array[]) -> a descriptor of the caller's, or -errno
Napi::Value Release(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  std::vector<uint8_t> received;
  const int fd = channel == nullptr ? -EBADF : guest->loop().release(*channel, &received);
  if (!received.empty()) {
    Napi::Array pieces = info[2].As<Napi::Array>();
    pieces.Set(pieces.Length(),
               Napi::Buffer<uint8_t>::Copy(info.Env(), received.data(), received.size()));
  }
  return Napi::Number::New(info.Env(), fd);
}

// letGo(slot, generation) -> 0 or -errno: an event of kLeft follows
Napi::Value LetGo(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  const int answer = channel == nullptr ? -EBADF : guest->loop().letGo(*channel);
  guest->wake();
  return Napi::Number::New(info.Env(), answer);
}

// stay(slot, generation): after kLeft, it goes on here
void Stay(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  Channel* channel = guest == nullptr ? nullptr : channelOf(info, *guest);
  if (channel != nullptr && channel->state == ChannelState::kOpen) guest->loop().stay(*channel);
}

// setSocketOption(slot, generation, option, value) -> 0 or -errno
Napi::Value SetOption(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = channelOf(info, *guest);
  const uint32_t option = word(info, 2);
  int result = -EBADF;
  if (channel != nullptr && option < static_cast<uint32_t>(SocketOption::kCount)) {
    result = setSocketOption(channel->fd, static_cast<SocketOption>(option), signedWord(info, 3));
  }
  return Napi::Number::New(info.Env(), result);
}

// setConnectionReferenced(slot, generation, on), setListenerReferenced(endpoint, on)
void SetConnectionReferenced(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  Channel* channel = guest == nullptr ? nullptr : channelOf(info, *guest);
  if (channel == nullptr) return;
  guest->loop().setReferenced(*channel, flag(info, 2));
  guest->applyReference();
}

void SetListenerReferenced(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  Channel* channel = guest == nullptr ? nullptr : guest->loop().listenerOf(word(info, 0));
  if (channel == nullptr) return;
  guest->loop().setReferenced(*channel, flag(info, 1));
  guest->applyReference();
}

// tellReadable(slot, generation, on) -> whether it can
Napi::Value TellReadable(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  const bool ofHandle = channel != nullptr && channel->protocol == &guest->openHandles();
  return Napi::Boolean::New(info.Env(),
                            ofHandle && guest->loop().tellReadable(*channel, flag(info, 2)));
}

// readInto(slot, generation, bytes: Uint8Array) -> bytes read
Napi::Value ReadInto(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  auto into = info[2].As<Napi::Uint8Array>();
  const size_t room = into.ByteLength() < kReceiveMax ? into.ByteLength() : kReceiveMax;
  const uint32_t taken = channel == nullptr ? 0
                                            : guest->loop().readInto(*channel, into.Data(),
                                                                     static_cast<uint32_t>(room));
  return Napi::Number::New(info.Env(), taken);
}

}  // namespace

void addSocketFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("bindSocket", Napi::Function::New<BindSocket>(env));
  exports.Set("tellUnixSocket", Napi::Function::New<TellUnixSocket>(env));
  exports.Set("closeSocket", Napi::Function::New<CloseSocket>(env));
  exports.Set("socketName", Napi::Function::New<SocketName>(env));
  exports.Set("duplicateSocket", Napi::Function::New<DuplicateSocket>(env));
  exports.Set("adopt", Napi::Function::New<Adopt>(env));
  exports.Set("descriptor", Napi::Function::New<Descriptor>(env));
  exports.Set("listenerDescriptor", Napi::Function::New<ListenerDescriptor>(env));
  exports.Set("letGo", Napi::Function::New<LetGo>(env));
  exports.Set("stay", Napi::Function::New<Stay>(env));
  exports.Set("release", Napi::Function::New<Release>(env));
  exports.Set("setSocketOption", Napi::Function::New<SetOption>(env));
  exports.Set("setConnectionReferenced", Napi::Function::New<SetConnectionReferenced>(env));
  exports.Set("setListenerReferenced", Napi::Function::New<SetListenerReferenced>(env));
  exports.Set("tellReadable", Napi::Function::New<TellReadable>(env));
  exports.Set("readInto", Napi::Function::New<ReadInto>(env));
}

}  // namespace ringpoll
