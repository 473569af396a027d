#include "http_profile.h"

#include <iterator>

#include "core/http/parser/errors.h"
#include "core/http/parser/header_names.h"
#include "core/http/parser/methods.h"
#include "reading.h"

namespace ringpoll {

namespace {

uint64_t wide(const Napi::Value& object, const char* name) {
  return static_cast<uint64_t>(numberOf(property(object, name)));
}

uint32_t number(const Napi::Value& object, const char* name) {
  return static_cast<uint32_t>(wide(object, name));
}

bool flag(const Napi::Value& object, const char* name) { return truthOf(property(object, name)); }

std::string bytes(const Napi::Value& object, const char* name) {
  const ByteView view = bytesIn(property(object, name));
  return {reinterpret_cast<const char*>(view.data), view.length};
}

}  // namespace

std::shared_ptr<http::Profile> httpProfile(Napi::Object object) {
  auto profile = std::make_shared<http::Profile>();
  http::Limits& limits = profile->options.limits;
  limits.headBytesMax = number(object, "headBytesMax");
  limits.targetBytesMax = number(object, "targetBytesMax");
  limits.headersMax = number(object, "headersMax");
  limits.bodyBytesMax = wide(object, "bodyBytesMax");
  limits.trailerBytesMax = number(object, "trailerBytesMax");
  limits.trailersMax = number(object, "trailersMax");
  limits.chunkExtensionBytesMax = number(object, "chunkExtensionBytesMax");
  profile->options.lenient = number(object, "lenient");
  profile->options.unknownMethods = flag(object, "unknownMethods");
  profile->options.lengthRequired = flag(object, "lengthRequired");
  profile->keepAliveMs = number(object, "keepAliveMs");
  profile->headersMs = number(object, "headersMs");
  profile->requestMs = number(object, "requestMs");
  profile->readMs = number(object, "readMs");
  profile->writeMs = number(object, "writeMs");
  profile->receiveRateMin = number(object, "receiveRateMin");
  profile->sendRateMin = number(object, "sendRateMin");
  profile->rateWindowMs = number(object, "rateWindowMs");
  profile->lingerMs = number(object, "lingerMs");
  profile->lingerBytesMax = wide(object, "lingerBytesMax");
  profile->requestsMax = number(object, "requestsMax");
  profile->unsentMax = wide(object, "unsentMax");
  profile->holdUpgrades = flag(object, "holdUpgrades");
  profile->tellsFirstByte = flag(object, "tellsFirstByte");
  profile->answersSilence = flag(object, "answersSilence");
  const Napi::Value proxies = property(object, "proxies");
  for (uint32_t i = 0; i < lengthOf(proxies); ++i) {
    profile->proxies.add(textOf(element(proxies, i)));
  }
  const Napi::Value routes = property(object, "routes");
  for (uint32_t i = 0; i < lengthOf(routes); ++i) {
    const Napi::Value entry = element(routes, i);
    std::string head = bytes(entry, "head");
    const uint32_t dateOffset = number(entry, "dateOffset");
    std::string body = bytes(entry, "body");
    std::string path = textOf(property(entry, "path"));
    if (ending(object.Env())) return nullptr;
    http::StaticRoute route{http::HeadTemplate(std::move(head), dateOffset), std::move(body)};
    profile->routes.insert_or_assign(std::move(path), std::move(route));
  }
  if (ending(object.Env())) return nullptr;
  return profile;
}

Napi::Object httpTables(Napi::Env env) {
  Napi::Array methods = Napi::Array::New(env);
  for (uint32_t i = 0; i < static_cast<uint32_t>(http::Method::kCount); ++i) {
    methods.Set(i, std::string(http::methodName(static_cast<http::Method>(i))));
  }
  Napi::Array headers = Napi::Array::New(env);
  for (uint32_t i = 0; i < std::size(http::kHeaderNames); ++i) {
    headers.Set(i, std::string(http::kHeaderNames[i]));
  }
  Napi::Array errors = Napi::Array::New(env);
  for (uint32_t i = 0; i < static_cast<uint32_t>(http::HttpError::kCount); ++i) {
    const http::ErrorEntry& entry = http::describe(static_cast<http::HttpError>(i));
    Napi::Object error = Napi::Object::New(env);
    error.Set("code", entry.code);
    error.Set("status", entry.status);
    error.Set("message", entry.message);
    errors.Set(i, error);
  }
  Napi::Object tables = Napi::Object::New(env);
  tables.Set("methods", methods);
  tables.Set("headers", headers);
  tables.Set("errors", errors);
  return tables;
}

}  // namespace ringpoll
