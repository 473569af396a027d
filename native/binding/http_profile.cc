#include "http_profile.h"

namespace ringpoll {

namespace {

uint32_t number(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Number>().Uint32Value();
}

bool flag(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Boolean>().Value();
}

std::string bytes(const Napi::Object& object, const char* name) {
  const auto buffer = object.Get(name).As<Napi::Uint8Array>();
  return std::string(reinterpret_cast<const char*>(buffer.Data()), buffer.ByteLength());
}

}  // namespace

std::shared_ptr<const http::Profile> httpProfile(Napi::Object object) {
  auto profile = std::make_shared<http::Profile>();
  http::Limits& limits = profile->options.limits;
  limits.headBytesMax = number(object, "headBytesMax");
  limits.targetBytesMax = number(object, "targetBytesMax");
  limits.headersMax = number(object, "headersMax");
  limits.bodyBytesMax =
      static_cast<uint64_t>(object.Get("bodyBytesMax").As<Napi::Number>().DoubleValue());
  limits.trailerBytesMax = number(object, "trailerBytesMax");
  limits.trailersMax = number(object, "trailersMax");
  limits.chunkExtensionBytesMax = number(object, "chunkExtensionBytesMax");
  profile->options.lenient = number(object, "lenient");
  profile->options.unknownMethods = flag(object, "unknownMethods");
  profile->options.lengthRequired = flag(object, "lengthRequired");
  profile->keepAliveMs = number(object, "keepAliveMs");
  profile->headersMs = number(object, "headersMs");
  profile->requestMs = number(object, "requestMs");
  profile->holdUpgrades = flag(object, "holdUpgrades");
  const auto routes = object.Get("routes").As<Napi::Array>();
  for (uint32_t i = 0; i < routes.Length(); ++i) {
    const auto entry = routes.Get(i).As<Napi::Object>();
    http::StaticRoute route{bytes(entry, "beforeDate"), bytes(entry, "afterDate"),
                            number(entry, "bodyBytes")};
    profile->routes.emplace(entry.Get("path").As<Napi::String>().Utf8Value(), std::move(route));
  }
  return profile;
}

}  // namespace ringpoll
