// The settings of an HTTP listener, from a JavaScript object to native code's.
#pragma once

#include <napi.h>

#include <memory>

#include "core/http/server.h"

namespace ringpoll {

// { headBytesMax, targetBytesMax, headersMax, bodyBytesMax, trailerBytesMax, trailersMax,
//   chunkExtensionBytesMax, lenient, unknownMethods, lengthRequired, keepAliveMs, headersMs,
//   requestMs, holdUpgrades, routes: [{ path, beforeDate, afterDate, bodyBytes }] }
std::shared_ptr<const http::Profile> httpProfile(Napi::Object object);

// { methods: [name], headers: [name], errors: [{ code, status, message }] }, by their numbers.
Napi::Object httpTables(Napi::Env env);

}  // namespace ringpoll
