// The addon's functions for connections that speak TLS.
#include <algorithm>
#include <climits>

#include "addon.h"
#include "core/tls/filter.h"
#include "reading.h"

namespace ringpoll {

tls::Filter* GuestLoop::openTls() {
  if (tls_ != nullptr) return tls_;
  if (tls::openSsl() == nullptr) return nullptr;
  auto made = tls::Filter::make(loop_->arena(), loop_->eventWriter(), loop_->filterHost());
  if (made == nullptr) return nullptr;
  tls_ = made.get();
  loop_->addProtocol(std::move(made));
  return tls_;
}

namespace {
using HeldCounters = std::shared_ptr<tls::Counters>;
}

bool speakTls(GuestLoop& guest, Napi::Object options, Endpoint* settings) {
  settings->filter = guest.openTls();
  if (settings->filter == nullptr) return false;
  const auto get = [&options](const char* name) { return property(options, name); };
  auto made = std::make_shared<tls::Settings>();
  made->context = tlsContextOf(get("context"));
  made->handshakeMs = static_cast<uint32_t>(numberOf(get("handshakeMs")));
  made->httpInside = truthOf(get("httpInside"));
  made->http2Inside = truthOf(get("http2Inside"));
  made->asksForNames = truthOf(get("asksForNames"));
  const Napi::Value counters = get("counters");
  if (counters.IsExternal()) made->counters = *counters.As<Napi::External<HeldCounters>>().Data();
  const Napi::Value proxies = get("proxies");
  for (uint32_t i = 0; i < lengthOf(proxies); ++i) made->proxies.add(textOf(element(proxies, i)));
  made->serverName = textOf(get("serverName"));
  made->verifyName = textOf(get("verifyName"));
  const ByteView session = bytesIn(get("session"));
  if (ending(options.Env())) return false;
  if (session.data != nullptr) {
    const unsigned char* at = session.data;
    const tls::OpenSsl& api = *tls::openSsl();
    // What cannot be read only means a full handshake.
    made->resumed.reset(api.d2i_SSL_SESSION(nullptr, &at, static_cast<long>(session.length)));
    api.ERR_clear_error();
  }
  settings->filterSettings = std::move(made);
  return true;
}

void setTlsMetrics(GuestLoop& guest, Napi::Object object) {
  const tls::Filter* filter = guest.tls();
  const tls::Counters counters = filter == nullptr ? tls::Counters{} : filter->counters();
  const auto set = [&object](const char* name, uint64_t value) {
    object.Set(name, static_cast<double>(value));
  };
  set("tlsConnections", counters.connections);
  set("tlsHandshakes", counters.handshakes);
  set("tlsHandshakes12", counters.handshakes12);
  set("tlsHandshakes13", counters.handshakes13);
  set("tlsResumed", counters.resumed);
  set("tlsFailures", counters.failures);
  set("tlsTruncated", counters.truncated);
  set("tlsDeferred", counters.deferred);
}

namespace {

// The session of the connection that the first two arguments name; nullptr: it has none, or is
// over, or in its handshake.
tls::Session* sessionOf(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr || guest->tls() == nullptr) return nullptr;
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr || channel->type != ChannelType::kConnection) return nullptr;
  return guest->tls()->sessionOf(*channel);
}

Napi::Value textOrUndefined(Napi::Env env, const char* text) {
  if (text == nullptr) return env.Undefined();
  return Napi::String::New(env, text);
}

// tlsUse(endpoint, context): new connections of the listener are served with it
void Use(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  const Endpoint* endpoint = guest->loop().endpoint(word(info, 0));
  if (endpoint == nullptr || endpoint->filterSettings == nullptr) return;
  static_cast<tls::Settings*>(endpoint->filterSettings.get())->context = tlsContextOf(info[1]);
}

// tlsName(slot, generation, context | undefined, refused): the answer to the event tlsServerName
void NameAnswered(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr || guest->tls() == nullptr) return;
  Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr || channel->state != ChannelState::kOpen) return;
  guest->tls()->nameAnswered(*channel, tlsContextOf(info[2]), flag(info, 3));
  guest->wake();
}

// tlsDetails(slot, generation) -> { protocol, cipher, standardCipher, alpn, servername, reused,
// verified, certified } or undefined
Napi::Value Details(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const tls::Session* session = sessionOf(info);
  if (session == nullptr) return env.Undefined();
  const tls::OpenSsl& api = *tls::openSsl();
  const auto textOrNone = [env](std::string_view text) -> Napi::Value {
    if (text.empty()) return env.Undefined();
    return Napi::String::New(env, text.data(), text.size());
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("protocol", Napi::String::New(env, tls::versionName(session->version())));
  const ssl_cipher_st* cipher = session->cipher();
  object.Set("cipher", textOrUndefined(env, api.SSL_CIPHER_get_name(cipher)));
  object.Set("standardCipher", textOrUndefined(env, api.SSL_CIPHER_standard_name(cipher)));
  object.Set("alpn", textOrNone(session->alpn()));
  object.Set("servername", textOrNone(session->serverName()));
  object.Set("reused", session->resumed());
  object.Set("verified", static_cast<double>(session->verifyResult()));
  object.Set("certified", session->peerCertificate() != nullptr);
  api.ERR_clear_error();
  return object;
}

Napi::Value derOf(Napi::Env env, x509_st* certificate) {
  const tls::OpenSsl& api = *tls::openSsl();
  const int bytes = api.i2d_X509(certificate, nullptr);
  if (bytes <= 0) return env.Undefined();
  Napi::Uint8Array der = Napi::Uint8Array::New(env, static_cast<size_t>(bytes));
  if (der.IsEmpty()) return env.Undefined();
  unsigned char* into = der.Data();
  api.i2d_X509(certificate, &into);
  return der;
}

// tlsPeerCertificates(slot, generation) -> its own, and the chain that it sent, in DER
Napi::Value PeerCertificates(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array all = Napi::Array::New(env);
  const tls::Session* session = sessionOf(info);
  if (session == nullptr) return all;
  const tls::OpenSsl& api = *tls::openSsl();
  x509_st* own = session->peerCertificate();
  if (own == nullptr) return all;
  all[0u] = derOf(env, own);
  // A client's list begins with the certificate itself.
  const stack_st* chain = session->peerChain();
  const int count = chain == nullptr ? 0 : api.OPENSSL_sk_num(chain);
  for (int i = 0; i < count; ++i) {
    auto* each = static_cast<x509_st*>(api.OPENSSL_sk_value(chain, i));
    if (api.X509_cmp(each, own) != 0) all[all.Length()] = derOf(env, each);
  }
  api.ERR_clear_error();
  return all;
}

// tlsExport(slot, generation, length, label, context | undefined) -> bytes, or undefined
Napi::Value ExportKeyingMaterial(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  tls::Session* session = sessionOf(info);
  if (session == nullptr) return env.Undefined();
  const std::string label = info[3].As<Napi::String>().Utf8Value();
  const bool hasContext = info[4].IsTypedArray();
  const uint8_t* context = nullptr;
  size_t contextBytes = 0;
  if (hasContext) {
    const auto given = info[4].As<Napi::Uint8Array>();
    context = given.Data();
    contextBytes = given.ByteLength();
  }
  Napi::Uint8Array out = Napi::Uint8Array::New(env, word(info, 2));
  if (out.IsEmpty()) return env.Undefined();
  if (!session->exportKeyingMaterial(label, hasContext, context, contextBytes, out.Data(),
                                     out.ByteLength())) {
    return env.Undefined();
  }
  return out;
}

// tlsCounters() -> handle: those of one listener, which outlive it
Napi::Value NewCounters(const Napi::CallbackInfo& info) {
  return Napi::External<HeldCounters>::New(info.Env(),
                                           new HeldCounters(std::make_shared<tls::Counters>()),
                                           [](Napi::Env, HeldCounters* held) { delete held; });
}

// tlsCounts(handle) -> { connections, ..., alertsSent: [number, count, ...], alertsReceived }
Napi::Value Counts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const tls::Counters& counters = **info[0].As<Napi::External<HeldCounters>>().Data();
  Napi::Object object = Napi::Object::New(env);
  const auto set = [&object](const char* name, uint64_t value) {
    object.Set(name, static_cast<double>(value));
  };
  set("connections", counters.connections);
  set("handshakes", counters.handshakes);
  set("handshakes12", counters.handshakes12);
  set("handshakes13", counters.handshakes13);
  set("resumed", counters.resumed);
  set("failures", counters.failures);
  set("truncated", counters.truncated);
  set("deferred", counters.deferred);
  const auto alerts = [env](const uint64_t(&counts)[256]) {
    Napi::Array all = Napi::Array::New(env);
    for (uint32_t alert = 0; alert < 256; ++alert) {
      if (counts[alert] == 0) continue;
      all[all.Length()] = Napi::Number::New(env, alert);
      all[all.Length()] = Napi::Number::New(env, static_cast<double>(counts[alert]));
    }
    return all;
  };
  object.Set("alertsSent", alerts(counters.alertsSent));
  object.Set("alertsReceived", alerts(counters.alertsReceived));
  return object;
}

// tlsVerifyText(number) -> OpenSSL's words for the result of a verification
Napi::Value VerifyText(const Napi::CallbackInfo& info) {
  const tls::OpenSsl* api = tls::openSsl();
  return textOrUndefined(
      info.Env(), api == nullptr ? nullptr : api->X509_verify_cert_error_string(word(info, 0)));
}

}  // namespace

void addTlsFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("tlsUse", Napi::Function::New<Use>(env));
  exports.Set("tlsName", Napi::Function::New<NameAnswered>(env));
  exports.Set("tlsDetails", Napi::Function::New<Details>(env));
  exports.Set("tlsPeerCertificates", Napi::Function::New<PeerCertificates>(env));
  exports.Set("tlsExport", Napi::Function::New<ExportKeyingMaterial>(env));
  exports.Set("tlsCounters", Napi::Function::New<NewCounters>(env));
  exports.Set("tlsCounts", Napi::Function::New<Counts>(env));
  exports.Set("tlsVerifyText", Napi::Function::New<VerifyText>(env));
}

}  // namespace ringpoll
