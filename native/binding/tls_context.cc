// The addon's functions for what TLS connections have in common. They need no loop.
#include "core/tls/context.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "addon.h"
#include "core/tls/trust.h"

namespace ringpoll {

namespace {

using tls::Bytes;
using tls::Context;
using tls::ContextError;
using tls::ContextOptions;
using tls::KeyOption;
using tls::PfxOption;
using tls::Role;
using tls::Roots;
using tls::Secret;
using tls::TicketKeys;

// What JavaScript holds is one more owner.
template <typename T>
Napi::Value hold(Napi::Env env, std::shared_ptr<T> object) {
  using Held = std::shared_ptr<T>;
  return Napi::External<Held>::New(env, new Held(std::move(object)),
                                   [](Napi::Env, Held* held) { delete held; });
}

template <typename T>
std::shared_ptr<T> held(const Napi::Value& value) {
  if (!value.IsExternal()) return nullptr;
  return *value.As<Napi::External<std::shared_ptr<T>>>().Data();
}

Bytes bytesOf(const Napi::Value& value) {
  if (!value.IsTypedArray()) return {};
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.Data() + array.ByteLength()};
}

Secret secretOf(const Napi::Value& value) {
  if (!value.IsTypedArray()) return {};
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

std::vector<Bytes> listOf(const Napi::Value& value) {
  std::vector<Bytes> all;
  if (!value.IsArray()) return all;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) all.push_back(bytesOf(array[i]));
  return all;
}

// [{ bytes, passphrase }, ...]
template <typename Option>
std::vector<Option> secretsOf(const Napi::Value& value) {
  std::vector<Option> all;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto entry = array.Get(i).As<Napi::Object>();
    all.push_back({secretOf(entry.Get("bytes")), secretOf(entry.Get("passphrase"))});
  }
  return all;  // which owns them
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
}

std::vector<TicketKeys::Key> ticketKeysOf(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  std::vector<TicketKeys::Key> keys(array.ByteLength() / tls::kTicketKeyBytes);
  for (size_t i = 0; i < keys.size(); ++i) {
    std::memcpy(keys[i].data(), array.Data() + i * tls::kTicketKeyBytes, tls::kTicketKeyBytes);
  }
  return keys;
}

// [name, context, name, context, ...]
void addNames(const Napi::Value& value, ContextOptions* options) {
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i + 1 < array.Length(); i += 2) {
    options->serverNames.emplace_back(array.Get(i).As<Napi::String>().Utf8Value(),
                                      held<const Context>(array.Get(i + 1)));
  }
}

// RINGPOLL_TLS_RECORDS=openssl: for comparisons, and as a way out.
bool ownRecords() {
  const char* asked = std::getenv("RINGPOLL_TLS_RECORDS");
  return asked == nullptr || std::strcmp(asked, "openssl") != 0;
}

ContextOptions optionsOf(Napi::Object from) {
  const auto text = [&from](const char* name) {
    return from.Get(name).As<Napi::String>().Utf8Value();
  };
  const auto on = [&from](const char* name) { return from.Get(name).As<Napi::Boolean>().Value(); };
  const auto integer = [&from](const char* name) {
    return from.Get(name).As<Napi::Number>().Int32Value();
  };
  ContextOptions options;
  options.role = on("client") ? Role::kClient : Role::kServer;
  options.certificates = listOf(from.Get("certificates"));
  options.keys = secretsOf<KeyOption>(from.Get("keys"));
  options.pfx = secretsOf<PfxOption>(from.Get("pfx"));
  options.staples = listOf(from.Get("staples"));
  options.ownAuthorities = from.Get("authorities").IsArray();
  options.authorities = listOf(from.Get("authorities"));
  options.crls = listOf(from.Get("crls"));
  options.roots = held<const Roots>(from.Get("roots"));
  options.ciphers = text("ciphers");
  options.ciphersuites = text("ciphersuites");
  options.curves = text("curves");
  options.signatures = text("signatures");
  options.minVersion = integer("minVersion");
  options.maxVersion = integer("maxVersion");
  options.serverPreference = on("serverPreference");
  options.alpn = bytesOf(from.Get("alpn"));
  options.requestCertificate = on("requestCertificate");
  options.rejectUnauthorized = on("rejectUnauthorized");
  options.sessionSeconds = static_cast<uint32_t>(integer("sessionSeconds"));
  options.sessionIdContext = bytesOf(from.Get("sessionIdContext"));
  options.ticketKeys = held<TicketKeys>(from.Get("ticketKeys"));
  options.tickets = on("tickets");
  addNames(from.Get("serverNames"), &options);
  options.keylog = on("keylog");
  options.ownRecords = ownRecords();
  return options;
}

// tlsStatus() -> { available, version, records, reason }
Napi::Value Status(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  std::string why;
  const tls::OpenSsl* ssl = tls::openSsl(&why);
  object.Set("available", ssl != nullptr);
  if (ssl != nullptr) object.Set("version", ssl->OpenSSL_version(0));
  if (ssl != nullptr) object.Set("records", ownRecords() ? "ringpoll" : "openssl");
  if (ssl == nullptr) object.Set("reason", why);
  return object;
}

// tlsRoots([pem, ...] | undefined) -> handle; undefined: those of the system
Napi::Value RootsOf(const Napi::CallbackInfo& info) {
  if (tls::openSsl() == nullptr) return info.Env().Undefined();
  std::shared_ptr<const Roots> roots =
      info[0].IsArray() ? Roots::of(listOf(info[0])) : Roots::ofSystem();
  if (roots == nullptr) return info.Env().Undefined();
  return hold(info.Env(), std::move(roots));
}

// tlsTicketKeys(bytes of all keys) -> handle
Napi::Value NewTicketKeys(const Napi::CallbackInfo& info) {
  return hold(info.Env(), std::make_shared<TicketKeys>(ticketKeysOf(info[0])));
}

// tlsReplaceTicketKeys(handle, bytes of all keys)
void ReplaceTicketKeys(const Napi::CallbackInfo& info) {
  held<TicketKeys>(info[0])->replace(ticketKeysOf(info[1]));
}

// tlsContext(options) -> handle, or { failure, index, reason }
Napi::Value NewContext(const Napi::CallbackInfo& info) {
  ContextError error;
  std::shared_ptr<const Context> context =
      Context::make(optionsOf(info[0].As<Napi::Object>()), &error);
  if (context != nullptr) return hold(info.Env(), std::move(context));
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("failure", static_cast<uint32_t>(error.failure));
  object.Set("index", error.index);
  object.Set("reason", error.reason);
  return object;
}

}  // namespace

std::shared_ptr<const Context> tlsContextOf(const Napi::Value& value) {
  return held<const Context>(value);
}

void addTlsContextFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("tlsStatus", Napi::Function::New<Status>(env));
  exports.Set("tlsRoots", Napi::Function::New<RootsOf>(env));
  exports.Set("tlsTicketKeys", Napi::Function::New<NewTicketKeys>(env));
  exports.Set("tlsReplaceTicketKeys", Napi::Function::New<ReplaceTicketKeys>(env));
  exports.Set("tlsContext", Napi::Function::New<NewContext>(env));
}

}  // namespace ringpoll
