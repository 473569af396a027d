// What the files of the binding share: the environment's loop, and how arguments are read.
#pragma once

#include <napi.h>

#include <memory>

#include "guest_loop.h"

namespace ringpoll {

namespace tls {
class Context;
}

// The environment's loop; nullptr, with an exception pending, when it has ended.
GuestLoop* guestOf(const Napi::CallbackInfo& info);

inline uint32_t word(const Napi::CallbackInfo& info, size_t i) {
  return info[i].As<Napi::Number>().Uint32Value();
}
inline int32_t signedWord(const Napi::CallbackInfo& info, size_t i) {
  return info[i].As<Napi::Number>().Int32Value();
}
inline double number(const Napi::CallbackInfo& info, size_t i) {
  return info[i].As<Napi::Number>().DoubleValue();
}
inline bool flag(const Napi::CallbackInfo& info, size_t i) {
  return info[i].As<Napi::Boolean>().Value();
}

// addon.cc
// An address is given as (host, port), or as (path, -1).
bool toAddress(const Napi::CallbackInfo& info, size_t i, SocketAddress* out);
// Given as (backlog, reusePort, ipv6Only, noDelay, keepAliveMs).
ListenOptions toListenOptions(const Napi::CallbackInfo& info, size_t i);
// Into the control block: what has become of a call that opens a listener, a connection or a
// socket.
void reportOpened(GuestLoop& guest, const SocketResult& result, uint32_t endpoint, Token opened);

// access.cc
void addAccessFunctions(Napi::Env env, Napi::Object exports);

// watchdog.cc
void addWatchdogFunctions(Napi::Env env, Napi::Object exports);

// routes.cc
void addRouteFunctions(Napi::Env env, Napi::Object exports);

// { address, port, family } or { path }; undefined when it is not known.
Napi::Value toObject(Napi::Env env, const AddressText& text);

// faults.cc
void addFaultFunctions(Napi::Env env, Napi::Object exports);

// metering.cc
void addMeteringFunctions(Napi::Env env, Napi::Object exports);

// http.cc
// Connections of the listener that `settings` describe will speak HTTP. False: no memory.
bool speakHttp(GuestLoop& guest, Napi::Object options, Endpoint* settings);
void setHttpMetrics(GuestLoop& guest, Napi::Object object);
void addHttpFunctions(Napi::Env env, Napi::Object exports);

// http_client.cc
void setHttpClientMetrics(GuestLoop& guest, Napi::Object object);
void addHttpClientFunctions(Napi::Env env, Napi::Object exports);

// websocket.cc
void setWebSocketMetrics(GuestLoop& guest, Napi::Object object);
void addWebSocketFunctions(Napi::Env env, Napi::Object exports);

// tls_context.cc
// What tlsContext() has made; null: it is none.
std::shared_ptr<const tls::Context> tlsContextOf(const Napi::Value& value);
void addTlsContextFunctions(Napi::Env env, Napi::Object exports);

// threads.cc
void addThreadFunctions(Napi::Env env, Napi::Object exports);

// sockets.cc
// Given as an Int32Array of SocketOption values, or undefined.
SocketOptions toSocketOptions(const Napi::CallbackInfo& info, size_t i);
void addSocketFunctions(Napi::Env env, Napi::Object exports);

// udp.cc
void setUdpMetrics(GuestLoop& guest, Napi::Object object);
void addUdpFunctions(Napi::Env env, Napi::Object exports);

// tls.cc
// Connections of the listener or connect call that `settings` describe will go through TLS. False:
// no memory.
bool speakTls(GuestLoop& guest, Napi::Object options, Endpoint* settings);
void setTlsMetrics(GuestLoop& guest, Napi::Object object);
void addTlsFunctions(Napi::Env env, Napi::Object exports);

// files.cc
void addFileFunctions(Napi::Env env, Napi::Object exports);

}  // namespace ringpoll
