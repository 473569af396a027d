// The settings of an HTTP listener, from a JavaScript object to native code's.
#pragma once

#include <napi.h>

#include <memory>

#include "core/http/server/server.h"

namespace ringpoll {

// nullptr: the environment ends. Limits, times in milliseconds, flags; proxies: [rule];
// routes: [{ path, head, dateOffset, body }]. See NativeHttpProfile in lib/runtime/native.ts.
std::shared_ptr<http::Profile> httpProfile(Napi::Object object);

// { methods: [name], headers: [name], errors: [{ code, status, message }] }, by their numbers.
Napi::Object httpTables(Napi::Env env);

}  // namespace ringpoll
