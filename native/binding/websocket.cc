// The addon's functions for WebSocket connections.
#include "core/websocket/protocol.h"

#include <string>

#include "addon.h"
#include "core/http/server/server.h"
#include "core/raw/raw_protocol.h"
#include "core/websocket/zlib.h"

namespace ringpoll {

using websocket::Opcode;
using websocket::Role;

websocket::Protocol& GuestLoop::openWebSocket() {
  if (webSocket_ == nullptr) {
    auto made = std::make_unique<websocket::Protocol>(loop_->arena(), loop_->eventWriter(),
                                                      loop_->transport());
    webSocket_ = made.get();
    loop_->addProtocol(std::move(made));
  }
  return *webSocket_;
}

void setWebSocketMetrics(GuestLoop& guest, Napi::Object object) {
  const websocket::Protocol* protocol = guest.webSocket();
  const websocket::Counters counters =
      protocol == nullptr ? websocket::Counters{} : protocol->counters();
  const auto set = [&object](const char* name, uint64_t value) {
    object.Set(name, static_cast<double>(value));
  };
  set("webSocketConnections", counters.connections);
  set("webSocketMessages", counters.messages);
  set("webSocketFrames", counters.frames);
  set("webSocketCompressions", counters.compressions);
  set("webSocketInflations", counters.inflations);
  set("webSocketPublishes", counters.publishes);
  set("webSocketDeliveries", counters.deliveries);
  set("webSocketDropped", counters.dropped);
}

namespace {

// Words of the settings that webSocketAccept() takes; lib/websocket writes them.
enum SettingsWord : uint32_t {
  kFlags = 0,
  kMaxPayload = 1,
  kPingMs = 2,
  kDeadMs = 3,
  kMode = 4,
  kIdleMs = 5,
  kCloseMs = 6,
  kBackpressureBytes = 7,
  kSlowPolicy = 8,
  kDeflate = 9,
  kLevel = 10,
  kMemLevel = 11,
  kThresholdBytes = 12,
  kSettingsWords = 16,
};

enum SettingsFlag : uint32_t {
  kIsClient = 1,
  kWildcards = 2,
  kPingEvents = 4,
  kPongEvents = 8,
};

// Bits of kDeflate; the windows stand above them, four bits each.
enum DeflateFlag : uint32_t {
  kDeflateOn = 1,
  kServerNoTakeover = 2,
  kClientNoTakeover = 4,
  kDedicated = 8,
};
constexpr uint32_t kServerBitsShift = 8;
constexpr uint32_t kClientBitsShift = 12;
constexpr uint32_t kBitsMask = 15;

websocket::Settings settingsOf(const uint32_t* words) {
  websocket::Settings settings;
  const uint32_t flags = words[kFlags];
  const bool client = (flags & kIsClient) != 0;
  settings.role = client ? Role::kClient : Role::kServer;
  settings.wildcards = (flags & kWildcards) != 0;
  settings.pingEvents = (flags & kPingEvents) != 0;
  settings.pongEvents = (flags & kPongEvents) != 0;
  settings.maxPayload = words[kMaxPayload];
  settings.pingMs = words[kPingMs];
  settings.deadMs = words[kDeadMs];
  settings.mode = static_cast<websocket::HeartbeatMode>(words[kMode]);
  settings.idleMs = words[kIdleMs];
  settings.closeMs = words[kCloseMs];
  settings.backpressureBytes = words[kBackpressureBytes];
  settings.slow = static_cast<websocket::SlowPolicy>(words[kSlowPolicy]);
  const uint32_t deflate = words[kDeflate];
  const bool serverTakeover = (deflate & kServerNoTakeover) == 0;
  const bool clientTakeover = (deflate & kClientNoTakeover) == 0;
  const uint32_t ownShift = client ? kClientBitsShift : kServerBitsShift;
  settings.deflate.on = (deflate & kDeflateOn) != 0;
  if (!settings.deflate.on) return settings;
  settings.deflate.ownTakeover = client ? clientTakeover : serverTakeover;
  settings.deflate.peerTakeover = client ? serverTakeover : clientTakeover;
  settings.deflate.dedicated = (deflate & kDedicated) != 0;
  settings.deflate.ownBits = static_cast<uint8_t>(deflate >> ownShift & kBitsMask);
  settings.deflate.level = static_cast<uint8_t>(words[kLevel]);
  settings.deflate.memLevel = static_cast<uint8_t>(words[kMemLevel]);
  settings.deflate.thresholdBytes = words[kThresholdBytes];
  return settings;
}

// The open connection that is named by the first two arguments, if it speaks WebSocket.
Channel* channelOf(const Napi::CallbackInfo& info, GuestLoop& guest) {
  Channel* channel = guest.loop().find(word(info, 0), word(info, 1));
  if (channel == nullptr || guest.webSocket() == nullptr) return nullptr;
  const bool open = channel->state == ChannelState::kOpen &&
                    channel->type == ChannelType::kConnection &&
                    channel->protocol == guest.webSocket();
  return open ? channel : nullptr;
}

// webSocketAccept(slot, generation, settings, rest | undefined) -> whether the connection is open.
// In the place of HTTP, whose response 101 was given before, or of raw bytes.
Napi::Value Accept(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  guest->loop().takeCommands();
  const auto words = info[2].As<Napi::Uint32Array>();
  Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  websocket::Protocol& protocol = guest->openWebSocket();
  const bool open = channel != nullptr && channel->state == ChannelState::kOpen &&
                    channel->type == ChannelType::kConnection && channel->protocol != &protocol &&
                    words.ElementLength() >= kSettingsWords;
  if (!open) return Napi::Boolean::New(info.Env(), false);
  std::vector<ReceivedBytes> held;
  bool ended = (channel->flags & kReadEnded) != 0;
  if (channel->protocol == guest->http()) {
    ended = guest->http()->leave(*channel, &held) || ended;
  } else {
    channel->protocol->closed(*channel);
  }
  protocol.accept(*channel, settingsOf(words.Data()), std::move(held), ended, guest->loop().now());
  if (info[3].IsTypedArray()) {
    const auto rest = info[3].As<Napi::Uint8Array>();
    if (!protocol.feed(*channel, rest.Data(), rest.ByteLength())) {
      guest->loop().transport().giveUp(*channel, ENOMEM);
    }
  }
  guest->wake();
  return Napi::Boolean::New(info.Env(), true);
}

// webSocketFeed(slot, generation, bytes): received by what was spoken before, behind the handshake
Napi::Value Feed(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  const auto bytes = info[2].As<Napi::Uint8Array>();
  const bool fed =
      channel != nullptr && guest->webSocket()->feed(*channel, bytes.Data(), bytes.ByteLength());
  return Napi::Boolean::New(info.Env(), fed);
}

// webSocketSend(slot, generation, bytes, opcode and flags) -> whether it was queued, all of it
Napi::Value Send(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  guest->loop().takeCommands();
  Channel* channel = channelOf(info, *guest);
  const auto bytes = info[2].As<Napi::Uint8Array>();
  const uint32_t flags = word(info, 3);
  const bool queued =
      channel != nullptr && guest->webSocket()->send(*channel, bytes.Data(), bytes.ByteLength(),
                                                     static_cast<Opcode>(flags & kWsSendOpcode),
                                                     (flags & kWsSendCompress) != 0);
  // What was queued is lent until the flush; much of it should not wait for the turn's end.
  if (queued) guest->loop().flushNow();
  return Napi::Boolean::New(info.Env(), queued);
}

// webSocketSubscribe(slot, generation, topic) -> websocket::Subscribed, or -1: it is over
Napi::Value Subscribe(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  if (channel == nullptr) return Napi::Number::New(info.Env(), -1);
  const std::string topic = info[2].As<Napi::String>().Utf8Value();
  return Napi::Number::New(info.Env(),
                           static_cast<int>(guest->webSocket()->subscribe(*channel, topic)));
}

// webSocketUnsubscribe(slot, generation, topic) -> whether it was subscribed
Napi::Value Unsubscribe(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  Channel* channel = channelOf(info, *guest);
  const std::string topic = info[2].As<Napi::String>().Utf8Value();
  return Napi::Boolean::New(info.Env(),
                            channel != nullptr && guest->webSocket()->unsubscribe(*channel, topic));
}

// webSocketSubscribed(slot, generation, topic)
Napi::Value IsSubscribed(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const Channel* channel = channelOf(info, *guest);
  const std::string topic = info[2].As<Napi::String>().Utf8Value();
  return Napi::Boolean::New(
      info.Env(), channel != nullptr && guest->webSocket()->isSubscribed(*channel, topic));
}

// webSocketSubscribers(endpoint, topic) -> how many
Napi::Value Subscribers(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const std::string topic = info[1].As<Napi::String>().Utf8Value();
  const websocket::Protocol* protocol = guest->webSocket();
  return Napi::Number::New(info.Env(),
                           protocol == nullptr ? 0 : protocol->subscribers(word(info, 0), topic));
}

// webSocketPublish(endpoint, topic, bytes | text, opcode and flags, except's slot or -1, its
// generation) -> for how many subscribers it was queued
Napi::Value Publish(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  websocket::Protocol* protocol = guest->webSocket();
  if (protocol == nullptr) return Napi::Number::New(info.Env(), 0);
  // What was sent before leaves before; and what was published may have left already.
  guest->loop().takeCommands();
  if (protocol->wantsFlush()) guest->loop().flushNow();
  const std::string topic = info[1].As<Napi::String>().Utf8Value();
  const uint32_t flags = word(info, 3);
  const int32_t slot = signedWord(info, 4);
  const Token except =
      makeToken(static_cast<uint32_t>(slot), slot < 0 ? kGenerationMask : word(info, 5));
  std::string text;
  const uint8_t* data;
  size_t length;
  if (info[2].IsString()) {
    text = info[2].As<Napi::String>().Utf8Value();
    data = reinterpret_cast<const uint8_t*>(text.data());
    length = text.size();
  } else {
    const auto bytes = info[2].As<Napi::Uint8Array>();
    data = bytes.Data();
    length = bytes.ByteLength();
  }
  const uint32_t queued = protocol->publish(word(info, 0), topic, data, length,
                                            static_cast<Opcode>(flags & kWsSendOpcode),
                                            (flags & kWsSendCompress) != 0, except);
  return Napi::Number::New(info.Env(), queued);
}

// webSocketDeflateReason() -> '', or why messages cannot be compressed here
Napi::Value DeflateReason(const Napi::CallbackInfo& info) {
  std::string why;
  websocket::zlib(&why);
  return Napi::String::New(info.Env(), why);
}

}  // namespace

void addWebSocketFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("webSocketAccept", Napi::Function::New<Accept>(env));
  exports.Set("webSocketFeed", Napi::Function::New<Feed>(env));
  exports.Set("webSocketSend", Napi::Function::New<Send>(env));
  exports.Set("webSocketSubscribe", Napi::Function::New<Subscribe>(env));
  exports.Set("webSocketUnsubscribe", Napi::Function::New<Unsubscribe>(env));
  exports.Set("webSocketSubscribed", Napi::Function::New<IsSubscribed>(env));
  exports.Set("webSocketSubscribers", Napi::Function::New<Subscribers>(env));
  exports.Set("webSocketPublish", Napi::Function::New<Publish>(env));
  exports.Set("webSocketDeflateReason", Napi::Function::New<DeflateReason>(env));
}

}  // namespace ringpoll
