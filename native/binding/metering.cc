// What an observer asks: the time of turns, the states of connections, and a list of them.
#include <algorithm>
#include <cerrno>

#include "addon.h"
#include "core/base/lock_waits.h"
#include "core/http/server/server.h"
#include "core/system/tcp_info.h"

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

// recordFlight(fd | undefined, rows) -> 0, or an errno. The caller closes `fd`.
Napi::Value RecordFlight(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const auto answer = [&](int code) { return Napi::Number::New(info.Env(), code); };
  if (!info[0].IsNumber()) return answer(guest->recordFlight(nullptr, 0) ? 0 : EINVAL);
  const uint32_t rows = word(info, 1);
  if (rows == 0 || rows > kFlightRowsMax) return answer(EINVAL);
  const auto fd = static_cast<int>(word(info, 0));
  std::unique_ptr<MappedFile> file = MappedFile::map(fd, FlightRing::bytesOf(rows));
  if (file == nullptr) return answer(errno);
  return answer(guest->recordFlight(std::move(file), rows) ? 0 : EINVAL);
}

// clockNs() -> nanoseconds of the clock that turns are measured with
Napi::Value ClockNs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(monotonicNs()));
}

// lockWaits(into: Float64Array): of each shared mutex how often it was waited for, and nanoseconds
void LockWaitsOf(const Napi::CallbackInfo& info) {
  auto into = info[0].As<Napi::Float64Array>();
  for (uint32_t i = 0; i < kSharedLocks && 2 * i + 1 < into.ElementLength(); ++i) {
    into[2 * i] = static_cast<double>(lockWaits[i].count);
    into[2 * i + 1] = static_cast<double>(lockWaits[i].ns);
  }
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

// census(into: Float64Array, fromSlot, slots) -> the slot to go on from, or 0: that was the last.
// To `into` is added how many connections look how.
Napi::Value Census(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return Napi::Number::New(info.Env(), 0);
  double counts[kConnectionLooks] = {};
  const uint32_t next =
      guest->loop().forEachChannel(word(info, 1), word(info, 2), [&](const Channel& channel) {
        if (channel.type == ChannelType::kConnection) ++counts[lookOf(*guest, channel)];
      });
  double* into = info[0].As<Napi::Float64Array>().Data();
  for (uint32_t i = 0; i < kConnectionLooks; ++i) into[i] += counts[i];
  return Napi::Number::New(info.Env(), next);
}

// roundTrips(endpoint, fromSlot, most, into: Float64Array) -> the slot to go on from, or 0: all
// were looked at. Into `into`: round trip in microseconds, its variance, retransmits, congestion
// window, and so on, four numbers for each TCP connection; the rest is 0.
Napi::Value RoundTrips(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  constexpr uint32_t kNumbers = 4;
  constexpr uint32_t kSlotsAtOnce = 64;
  const uint32_t endpoint = word(info, 0);
  auto into = info[3].As<Napi::Float64Array>();
  const auto room = static_cast<uint32_t>(into.ElementLength() / kNumbers);
  const uint32_t most = std::min(word(info, 2), room);
  uint32_t found = 0;
  uint32_t next = 0;
  const auto look = [&](const Channel& channel) {
    if (channel.type != ChannelType::kConnection || channel.endpoint != endpoint) return;
    if (!channel.known() || channel.fd < 0 || next != 0) return;
    if (found == most) {
      next = channel.slot;
      return;
    }
    TcpInfo tcp;
    if (!tcpInfo(channel.fd, &tcp)) return;
    double* row = into.Data() + found++ * kNumbers;
    row[0] = tcp.rttUs;
    row[1] = tcp.varianceUs;
    row[2] = tcp.retransmits;
    row[3] = tcp.congestionWindow;
  };
  uint32_t slot = word(info, 1);
  do {
    slot = guest->loop().forEachChannel(slot, kSlotsAtOnce, look);
  } while (slot != 0 && found < most);
  if (next == 0) next = slot;
  std::fill(into.Data() + found * kNumbers, into.Data() + room * kNumbers, 0);
  return Napi::Number::New(info.Env(), next);
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
  exports.Set("recordFlight", Napi::Function::New<RecordFlight>(env));
  exports.Set("clockNs", Napi::Function::New<ClockNs>(env));
  exports.Set("lockWaits", Napi::Function::New<LockWaitsOf>(env));
  exports.Set("census", Napi::Function::New<Census>(env));
  exports.Set("roundTrips", Napi::Function::New<RoundTrips>(env));
  exports.Set("connectionList", Napi::Function::New<ConnectionList>(env));
}

}  // namespace ringpoll
