// Who may connect to a listener: see core/system/access_gate.h. The listener's number comes first.
#include "addon.h"
#include "core/system/access_gate.h"
#include "reading.h"

namespace ringpoll {

namespace {

AccessGate* gateOf(const Napi::CallbackInfo& info, GuestLoop* guest) {
  return guest == nullptr ? nullptr : guest->loop().gateOf(word(info, 0));
}

// JavaScript has checked the rules.
void addRules(const Napi::Value& given, PrefixSet* rules) {
  for (uint32_t i = 0; i < lengthOf(given); ++i) rules->add(textOf(element(given, i)));
}

// isNetwork(rule) -> whether PrefixSet understands it
Napi::Value IsNetwork(const Napi::CallbackInfo& info) {
  PrefixSet rules;
  return Napi::Boolean::New(info.Env(), rules.add(info[0].As<Napi::String>().Utf8Value()));
}

// setAccess(endpoint, allow, deny, perAddressMax, connectsMax, windowMs, banMs, addressesMax,
//           ipv6Bits)
void SetAccess(const Napi::CallbackInfo& info) {
  AccessGate* gate = gateOf(info, guestOf(info));
  if (gate == nullptr) return;
  AccessRules rules;
  addRules(info[1], &rules.allow);
  addRules(info[2], &rules.deny);
  rules.perAddressMax = word(info, 3);
  rules.connectsMax = word(info, 4);
  rules.windowMs = word(info, 5);
  rules.banMs = word(info, 6);
  rules.addressesMax = word(info, 7);
  rules.ipv6Bits = word(info, 8);
  if (ending(info.Env())) return;
  gate->setRules(std::move(rules));
}

// banAddress(endpoint, address, ms) -> whether it is an address
Napi::Value Ban(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  AccessGate* gate = gateOf(info, guest);
  const bool banned = gate != nullptr && gate->ban(info[1].As<Napi::String>().Utf8Value(),
                                                   guest->loop().now(), word(info, 2));
  return Napi::Boolean::New(info.Env(), banned);
}

// unbanAddress(endpoint, address) -> whether it was banned
Napi::Value Unban(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  AccessGate* gate = gateOf(info, guest);
  const bool was =
      gate != nullptr && gate->unban(info[1].As<Napi::String>().Utf8Value(), guest->loop().now());
  return Napi::Boolean::New(info.Env(), was);
}

// accessCounts(endpoint) -> [denied, banned, crowded, bans, known] | undefined
Napi::Value Counts(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  AccessGate* gate = gateOf(info, guest);
  if (gate == nullptr) return info.Env().Undefined();
  const AccessGate::Counts& counts = gate->counts();
  const double numbers[] = {static_cast<double>(counts.denied), static_cast<double>(counts.banned),
                            static_cast<double>(counts.crowded),
                            static_cast<double>(gate->bans(guest->loop().now())),
                            static_cast<double>(gate->known())};
  Napi::Array list = Napi::Array::New(info.Env(), std::size(numbers));
  for (uint32_t i = 0; i < std::size(numbers); ++i) {
    list.Set(i, Napi::Number::New(info.Env(), numbers[i]));
  }
  return list;
}

}  // namespace

void addAccessFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("isNetwork", Napi::Function::New<IsNetwork>(env));
  exports.Set("setAccess", Napi::Function::New<SetAccess>(env));
  exports.Set("banAddress", Napi::Function::New<Ban>(env));
  exports.Set("unbanAddress", Napi::Function::New<Unban>(env));
  exports.Set("accessCounts", Napi::Function::New<Counts>(env));
}

}  // namespace ringpoll
