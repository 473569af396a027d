// The addon's functions for HTTP listeners.
#include <arpa/inet.h>

#include "addon.h"
#include "core/http/proxy.h"
#include "http_profile.h"

namespace ringpoll {

namespace {

// httpTables() -> names of methods and headers, and errors, by number
Napi::Value Tables(const Napi::CallbackInfo& info) { return httpTables(info.Env()); }

// httpAddressRule(rule) -> whether AddressFilter understands it
Napi::Value AddressRule(const Napi::CallbackInfo& info) {
  AddressFilter filter;
  return Napi::Boolean::New(info.Env(), filter.add(info[0].As<Napi::String>().Utf8Value()));
}

// httpTemplate(owner, head: Uint8Array, dateOffset) -> number
Napi::Value Template(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const auto head = info[1].As<Napi::Uint8Array>();
  std::string text(reinterpret_cast<const char*>(head.Data()), head.ByteLength());
  return Napi::Number::New(
      info.Env(), guest->loop().addHttpTemplate(word(info, 0), std::move(text), word(info, 2)));
}

// httpStop(owner): idle connections close, the others with their next answer
void Stop(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->loop().stopHttp(word(info, 0));
}

AddressText proxied(const http::ProxyHeader& header, bool remote) {
  const uint8_t* address = remote ? header.source : header.destination;
  const int family = header.family == http::ProxyFamily::kInet6 ? AF_INET6 : AF_INET;
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family, address, text, sizeof text);
  return {text, remote ? header.sourcePort : header.destinationPort, family};
}

// httpProxied(slot, generation, remote) -> the address that a PROXY header gave, or undefined
Napi::Value Proxied(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr) return info.Env().Undefined();
  const http::ProxyHeader* header = guest->loop().httpProxyHeader(*channel);
  const bool known = header != nullptr && !header->local &&
                     (header->family == http::ProxyFamily::kInet ||
                      header->family == http::ProxyFamily::kInet6);
  if (!known) return info.Env().Undefined();
  return toObject(info.Env(), proxied(*header, flag(info, 2)));
}

}  // namespace

void addHttpFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("httpTables", Napi::Function::New<Tables>(env));
  exports.Set("httpAddressRule", Napi::Function::New<AddressRule>(env));
  exports.Set("httpTemplate", Napi::Function::New<Template>(env));
  exports.Set("httpStop", Napi::Function::New<Stop>(env));
  exports.Set("httpProxied", Napi::Function::New<Proxied>(env));
}

}  // namespace ringpoll
