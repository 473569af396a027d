// What an observer asks: the time of turns, the states of connections, and a list of them.
#include "addon.h"
#include "core/http/server/server.h"

namespace ringpoll {

namespace {

// meter(Float64Array | undefined): turns are measured into it from now on, or not any more
void Meter(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  const bool on = info[0].IsTypedArray();
  guest->memory().keepMeter(info[0]);
  guest->setMeter(on ? info[0].As<Napi::Float64Array>().Data() : nullptr);
}

// recordTurns(Float64Array | undefined) -> whether anything is measured
Napi::Value RecordTurns(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  double* ring = nullptr;
  uint32_t rows = 0;
  if (info[0].IsTypedArray()) {
    auto words = info[0].As<Napi::Float64Array>();
    ring = words.Data();
    rows = static_cast<uint32_t>(words.ElementLength() / kTurnRowWords) - 1;
  }
  const bool on = guest->recordTurns(ring, rows);
  if (on) guest->memory().keepTurnRing(info[0]);
  return Napi::Boolean::New(info.Env(), on);
}

// clockNs() -> nanoseconds of the clock that turns are measured with
Napi::Value ClockNs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(monotonicNs()));
}

// In the order of CONNECTION_STATES in lib/admin/connections.ts.
enum ConnectionLook : uint32_t {
  kLooksConnecting,
  kLooksHandshake,
  kLooksIdle,
  kLooksActive,
  kLooksOpen,
  kLooksEnding,
  kLooksClosing,
  kConnectionLooks,
};

ConnectionLook lookOf(const GuestLoop& guest, const Channel& channel) {
  if (channel.state == ChannelState::kConnecting) return kLooksConnecting;
  if (channel.state == ChannelState::kClosing) return kLooksClosing;
  if (!channel.known()) return kLooksHandshake;
  if (channel.flags & (kWriteEnding | kWriteEnded | kReadEnded)) return kLooksEnding;
  const http::Server* http = guest.http();
  if (http == nullptr || channel.protocol != http) return kLooksOpen;
  return http->outstanding(channel) > 0 ? kLooksActive : kLooksIdle;
}

// census(into: Float64Array): connections by how they look
void Census(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  double counts[kConnectionLooks] = {};
  guest->loop().forEachChannel([&](const Channel& channel) {
    if (channel.type == ChannelType::kConnection) ++counts[lookOf(*guest, channel)];
  });
  auto into = info[0].As<Napi::Float64Array>();
  for (uint32_t i = 0; i < kConnectionLooks; ++i) into[i] = counts[i];
}

Napi::Object rowOf(Napi::Env env, GuestLoop& guest, Channel& channel) {
  Napi::Object row = Napi::Object::New(env);
  row.Set("slot", channel.slot);
  row.Set("generation", channel.generation);
  row.Set("endpoint", channel.endpoint);
  row.Set("state", static_cast<uint32_t>(lookOf(guest, channel)));
  row.Set("route", static_cast<uint32_t>(guest.loop().routeOf(channel)));
  row.Set("bytesRead", static_cast<double>(channel.bytesRead));
  row.Set("bytesWritten", static_cast<double>(channel.bytesWritten));
  row.Set("unsent", static_cast<double>(guest.loop().transport().unsentBytes(channel)));
  row.Set("paused", (channel.flags & (kPaused | kProtocolPaused)) != 0);
  row.Set("secure", channel.filtered != nullptr);
  if (channel.fd >= 0) row.Set("remote", toObject(env, remoteAddress(channel.fd)));
  return row;
}

// connectionList(fromSlot, most) -> rows of connections in the order of their slots
Napi::Value ConnectionList(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const uint32_t from = word(info, 0);
  const uint32_t most = word(info, 1);
  Napi::Array rows = Napi::Array::New(info.Env());
  guest->loop().forEachChannel([&](Channel& channel) {
    if (channel.type != ChannelType::kConnection || channel.slot < from) return;
    if (rows.Length() >= most) return;
    rows.Set(rows.Length(), rowOf(info.Env(), *guest, channel));
  });
  return rows;
}

}  // namespace

void addMeteringFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("meter", Napi::Function::New<Meter>(env));
  exports.Set("recordTurns", Napi::Function::New<RecordTurns>(env));
  exports.Set("clockNs", Napi::Function::New<ClockNs>(env));
  exports.Set("census", Napi::Function::New<Census>(env));
  exports.Set("connectionList", Napi::Function::New<ConnectionList>(env));
}

}  // namespace ringpoll
