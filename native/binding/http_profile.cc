#include "http_profile.h"

#include <iterator>

#include "core/http/parser/errors.h"
#include "core/http/parser/header_names.h"
#include "core/http/parser/methods.h"

namespace ringpoll {

namespace {

uint32_t number(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Number>().Uint32Value();
}

uint64_t wide(const Napi::Object& object, const char* name) {
  return static_cast<uint64_t>(object.Get(name).As<Napi::Number>().DoubleValue());
}

bool flag(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Boolean>().Value();
}

std::string bytes(const Napi::Object& object, const char* name) {
  const auto buffer = object.Get(name).As<Napi::Uint8Array>();
  return std::string(reinterpret_cast<const char*>(buffer.Data()), buffer.ByteLength());
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
  const auto proxies = object.Get("proxies").As<Napi::Array>();
  for (uint32_t i = 0; i < proxies.Length(); ++i) {
    profile->proxies.add(proxies.Get(i).As<Napi::String>().Utf8Value());
  }
  const auto routes = object.Get("routes").As<Napi::Array>();
  for (uint32_t i = 0; i < routes.Length(); ++i) {
    const auto entry = routes.Get(i).As<Napi::Object>();
    http::StaticRoute route{http::HeadTemplate(bytes(entry, "head"), number(entry, "dateOffset")),
                            bytes(entry, "body")};
    profile->routes.insert_or_assign(entry.Get("path").As<Napi::String>().Utf8Value(),
                                     std::move(route));
  }
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
