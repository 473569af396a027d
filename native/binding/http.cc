// The addon's functions for HTTP listeners.
#include <sys/socket.h>

#include "addon.h"
#include "core/base/assert.h"
#include "core/http/server/server.h"
#include "core/tls/filter.h"
#include "http_profile.h"
#include "kept_memory.h"

namespace ringpoll {

http::Server* GuestLoop::openHttp() {
  if (http_ != nullptr) return http_;
  uint32_t* heads = memory_.openHeads("heads", http::kHeadTableWords);
  if (heads == nullptr) return nullptr;
  auto server = std::make_unique<http::Server>(loop_->arena(), loop_->eventWriter(),
                                               loop_->transport(), heads, http::kHeadTableWords);
  http_ = server.get();
  loop_->addProtocol(std::move(server));
  return http_;
}

bool speakHttp(GuestLoop& guest, Napi::Object options, Endpoint* settings) {
  settings->protocol = guest.openHttp();
  if (settings->protocol == nullptr) return false;
  settings->settings = httpProfile(options);
  return settings->settings != nullptr;
}

void setHttpMetrics(GuestLoop& guest, Napi::Object object) {
  const http::Server* server = guest.http();
  const uint64_t requests = server == nullptr ? 0 : server->requests();
  const uint64_t staticResponses = server == nullptr ? 0 : server->staticResponses();
  const uint64_t into = server == nullptr ? 0 : server->bodyBytesInto();
  object.Set("httpRequests", static_cast<double>(requests));
  object.Set("httpStaticResponses", static_cast<double>(staticResponses));
  object.Set("httpBodyBytesDirect", static_cast<double>(into));
}

namespace {

// nullptr: the listener and all its connections are over.
http::Profile* profileOf(GuestLoop& guest, uint32_t endpoint) {
  const Endpoint* found = guest.loop().endpoint(endpoint);
  if (found == nullptr || found->settings == nullptr || guest.http() == nullptr) return nullptr;
  return found->protocol == guest.http() ? static_cast<http::Profile*>(found->settings.get())
                                         : nullptr;
}

uint32_t addTemplate(http::Profile* profile, std::string text, uint32_t dateOffset) {
  // JavaScript has not heard of the end yet, or answers a request of long ago: nothing will be
  // sent, so any number will do.
  if (profile == nullptr) return 0;
  profile->templates.emplace_back(std::move(text), dateOffset);
  RP_ASSERT(profile->templates.back().valid());
  return static_cast<uint32_t>(profile->templates.size()) - 1;
}

// httpTables() -> names of methods and headers, and errors, by number
Napi::Value Tables(const Napi::CallbackInfo& info) { return httpTables(info.Env()); }

// httpAddressRule(rule) -> whether AddressFilter understands it
Napi::Value AddressRule(const Napi::CallbackInfo& info) {
  AddressFilter filter;
  return Napi::Boolean::New(info.Env(), filter.add(info[0].As<Napi::String>().Utf8Value()));
}

// httpTemplate(endpoint, head: Uint8Array, dateOffset) -> number
Napi::Value Template(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const auto head = info[1].As<Napi::Uint8Array>();
  std::string text(reinterpret_cast<const char*>(head.Data()), head.ByteLength());
  return Napi::Number::New(
      info.Env(), addTemplate(profileOf(*guest, word(info, 0)), std::move(text), word(info, 2)));
}

// httpExpected(slot, generation) -> see Server::expected()
Napi::Value Expected(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  const bool http = channel != nullptr && channel->state == ChannelState::kOpen &&
                    guest->http() != nullptr && channel->protocol == guest->http();
  return Napi::Number::New(info.Env(), http ? guest->http()->expected(*channel) : 0);
}

// httpStop(endpoint): idle connections close, the others with their last answer
void Stop(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  // An answer that was given but not flushed counts as given.
  guest->loop().flush();
  const uint32_t endpoint = word(info, 0);
  http::Profile* profile = profileOf(*guest, endpoint);
  if (profile == nullptr) return;
  profile->stopping = true;
  http::Server* server = guest->http();
  const uint64_t nowMs = guest->loop().now();
  guest->loop().forEachConnection(endpoint, [server, nowMs](Channel& channel) {
    if (channel.state != ChannelState::kOpen || channel.protocol != server) return;
    server->stop(channel, nowMs);
  });
}

// httpTimeouts(endpoint, keepAliveMs, headersMs, requestMs): from here on; 0 is none
void Timeouts(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  http::Profile* profile = profileOf(*guest, word(info, 0));
  if (profile == nullptr) return;
  profile->keepAliveMs = word(info, 1);
  profile->headersMs = word(info, 2);
  profile->requestMs = word(info, 3);
}

// A Buffer that lives, and stays where it is, while a body is received into it.
struct PinnedBuffer final : http::BodyMemory {
  explicit PinnedBuffer(Napi::Uint8Array array)
      : BodyMemory(array.Data(), array.ByteLength()), pin(Napi::Persistent(array)) {}

  Napi::Reference<Napi::Uint8Array> pin;
};

// httpBodyInto(slot, generation, request, bytes: Uint8Array | undefined) -> whether the rest of the
// body is received there; undefined: it is not any more
Napi::Value BodyInto(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  const bool http = channel != nullptr && channel->state == ChannelState::kOpen &&
                    guest->http() != nullptr && channel->protocol == guest->http();
  bool into = false;
  if (http && info[3].IsTypedArray()) {
    const auto bytes = info[3].As<Napi::Uint8Array>();
    into = bytes.ByteLength() >= http::kBodyIntoMin &&
           guest->http()->bodyInto(*channel, word(info, 2), std::make_unique<PinnedBuffer>(bytes));
    if (into) guest->wake();
  } else if (http) {
    http::Server::leaveBody(*channel);
  }
  return Napi::Boolean::New(info.Env(), into);
}

// keepFreedMemory()
void KeepFreedMemory(const Napi::CallbackInfo&) { keepFreedMemory(); }

AddressText proxied(const http::ProxyHeader& header, bool remote) {
  const uint8_t* address = remote ? header.source : header.destination;
  const int family = header.family == http::ProxyFamily::kInet6 ? AF_INET6 : AF_INET;
  return addressText(family, address, remote ? header.sourcePort : header.destinationPort);
}

// httpProxied(slot, generation, remote) -> the address that a PROXY header gave, or undefined
Napi::Value Proxied(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr) return info.Env().Undefined();
  const http::ProxyHeader* header = nullptr;
  if (channel->filtered != nullptr && guest->tls() != nullptr) {
    header = guest->tls()->proxyHeader(*channel);
  } else if (guest->http() != nullptr && channel->protocol == guest->http()) {
    header = guest->http()->proxyHeader(*channel);
  }
  if (header == nullptr || !header->hasAddresses()) return info.Env().Undefined();
  return toObject(info.Env(), proxied(*header, flag(info, 2)));
}

}  // namespace

void addHttpFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("httpTables", Napi::Function::New<Tables>(env));
  exports.Set("httpAddressRule", Napi::Function::New<AddressRule>(env));
  exports.Set("httpTemplate", Napi::Function::New<Template>(env));
  exports.Set("httpTimeouts", Napi::Function::New<Timeouts>(env));
  exports.Set("httpStop", Napi::Function::New<Stop>(env));
  exports.Set("httpExpected", Napi::Function::New<Expected>(env));
  exports.Set("httpBodyInto", Napi::Function::New<BodyInto>(env));
  exports.Set("keepFreedMemory", Napi::Function::New<KeepFreedMemory>(env));
  exports.Set("httpProxied", Napi::Function::New<Proxied>(env));
}

}  // namespace ringpoll
