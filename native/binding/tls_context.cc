// The addon's functions for what TLS connections have in common. They need no loop.
#include "core/tls/context.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "addon.h"
#include "core/tls/trust.h"
#include "reading.h"

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
  const ByteView bytes = bytesIn(value);
  return {bytes.data, bytes.data + bytes.length};
}

// None is another thing than an empty one.
Secret secretOf(const Napi::Value& value) {
  if (!value.IsTypedArray()) return {};
  const ByteView bytes = bytesIn(value);
  return {bytes.data, bytes.length};
}

std::vector<Bytes> listOf(const Napi::Value& value) {
  std::vector<Bytes> all;
  for (uint32_t i = 0; i < lengthOf(value); ++i) all.push_back(bytesOf(element(value, i)));
  return all;
}

// [{ bytes, passphrase }, ...]
template <typename Option>
std::vector<Option> secretsOf(const Napi::Value& value) {
  std::vector<Option> all;
  for (uint32_t i = 0; i < lengthOf(value); ++i) {
    const Napi::Value entry = element(value, i);
    all.push_back({secretOf(property(entry, "bytes")), secretOf(property(entry, "passphrase"))});
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
  for (uint32_t i = 0; i + 1 < lengthOf(value); i += 2) {
    options->serverNames.emplace_back(textOf(element(value, i)),
                                      held<const Context>(element(value, i + 1)));
  }
}

// RINGPOLL_TLS_RECORDS=openssl: for comparisons, and as a way out.
bool ownRecords() {
  const char* asked = std::getenv("RINGPOLL_TLS_RECORDS");
  return asked == nullptr || std::strcmp(asked, "openssl") != 0;
}

ContextOptions optionsOf(const Napi::Value& from) {
  const auto get = [&from](const char* name) { return property(from, name); };
  const auto text = [&get](const char* name) { return textOf(get(name)); };
  const auto on = [&get](const char* name) { return truthOf(get(name)); };
  const auto integer = [&get](const char* name) { return static_cast<int>(numberOf(get(name))); };
  ContextOptions options;
  options.role = on("client") ? Role::kClient : Role::kServer;
  options.certificates = listOf(get("certificates"));
  options.keys = secretsOf<KeyOption>(get("keys"));
  options.pfx = secretsOf<PfxOption>(get("pfx"));
  options.staples = listOf(get("staples"));
  options.ownAuthorities = get("authorities").IsArray();
  options.authorities = listOf(get("authorities"));
  options.crls = listOf(get("crls"));
  options.roots = held<const Roots>(get("roots"));
  options.ciphers = text("ciphers");
  options.ciphersuites = text("ciphersuites");
  options.curves = text("curves");
  options.signatures = text("signatures");
  options.minVersion = integer("minVersion");
  options.maxVersion = integer("maxVersion");
  options.serverPreference = on("serverPreference");
  options.alpn = bytesOf(get("alpn"));
  options.requestCertificate = on("requestCertificate");
  options.rejectUnauthorized = on("rejectUnauthorized");
  options.sessionSeconds = static_cast<uint32_t>(integer("sessionSeconds"));
  options.sessionIdContext = bytesOf(get("sessionIdContext"));
  options.ticketKeys = held<TicketKeys>(get("ticketKeys"));
  options.tickets = on("tickets");
  addNames(get("serverNames"), &options);
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
  ContextOptions options = optionsOf(info[0]);
  if (ending(info.Env())) return info.Env().Undefined();
  ContextError error;
  std::shared_ptr<const Context> context = Context::make(std::move(options), &error);
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
