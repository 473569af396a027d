// What the router did and why, and the route of a connection.
#include "addon.h"

namespace ringpoll {

namespace {

Napi::Object costsOf(Napi::Env env, const RouteCost (&costs)[kSizeClasses]) {
  Napi::Array list = Napi::Array::New(env, kSizeClasses);
  for (uint32_t i = 0; i < kSizeClasses; ++i) {
    Napi::Object cost = Napi::Object::New(env);
    cost.Set("ns", costs[i].ns);
    cost.Set("samples", costs[i].samples);
    list.Set(i, cost);
  }
  return list;
}

Napi::Object refusalsOf(Napi::Env env, const RoutingReport& report) {
  Napi::Object object = Napi::Object::New(env);
  for (uint32_t i = 0; i < kHintCount; ++i) {
    object.Set(kHintNames[i], static_cast<double>(report.refusals[i]));
  }
  return object;
}

// routing() -> what explain() is made from
Napi::Value Routing(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Napi::Env env = info.Env();
  const RoutingReport report = guest->loop().routing();
  Napi::Object object = Napi::Object::New(env);
  Napi::Array routes = Napi::Array::New(env, kRouteCount);
  for (uint32_t i = 0; i < kRouteCount; ++i) {
    const RouteStats& stats = report.stats[i];
    Napi::Object route = Napi::Object::New(env);
    route.Set("route", kRouteNames[i]);
    route.Set("available", report.available[i]);
    route.Set("connections", report.connections[i]);
    route.Set("chosen", static_cast<double>(stats.chosen));
    route.Set("migrations", static_cast<double>(stats.migrations));
    route.Set("receives", static_cast<double>(stats.receives));
    route.Set("bytes", static_cast<double>(stats.bytes));
    route.Set("costs", costsOf(env, report.costs.of[i]));
    routes.Set(i, route);
  }
  object.Set("routes", routes);
  object.Set("preferred", kRouteNames[report.preferred]);
  object.Set("reason", report.reason);
  object.Set("refusals", refusalsOf(env, report));
  object.Set("sentNow", costsOf(env, guest->loop().sendMeter().costs[kSentNow]));
  object.Set("sentByEngine", costsOf(env, guest->loop().sendMeter().costs[kSentByEngine]));
  return object;
}

// routeOf(slot, generation) -> index of the route, or -1
Napi::Value RouteOf(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  const int32_t route =
      channel == nullptr ? -1 : static_cast<int32_t>(guest->loop().routeOf(*channel));
  return Napi::Number::New(info.Env(), route);
}

}  // namespace

void addRouteFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("routing", Napi::Function::New<Routing>(env));
  exports.Set("routeOf", Napi::Function::New<RouteOf>(env));
}

}  // namespace ringpoll
