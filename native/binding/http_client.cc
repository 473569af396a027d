// The addon's functions for the connections of HTTP clients.
#include "core/http/client/client.h"

#include "addon.h"

namespace ringpoll {

http::Client* GuestLoop::openHttpClient() {
  if (httpClient_ != nullptr) return httpClient_;
  uint32_t* heads = memory_.openHeads("clientHeads", http::kClientHeadWords);
  if (heads == nullptr) return nullptr;
  auto client = std::make_unique<http::Client>(loop_->arena(), loop_->eventWriter(),
                                               loop_->transport(), heads, http::kClientHeadWords);
  httpClient_ = client.get();
  loop_->addProtocol(std::move(client));
  return httpClient_;
}

void setHttpClientMetrics(GuestLoop& guest, Napi::Object object) {
  const http::Client* client = guest.httpClient();
  const uint64_t responses = client == nullptr ? 0 : client->responses();
  object.Set("httpClientResponses", static_cast<double>(responses));
}

namespace {

// Words of the settings that httpClientAdopt() takes; lib/client/settings.ts writes them.
enum SettingsWord : uint32_t {
  kHeadBytesMax = 0,
  kHeadersMax = 1,
  kTrailerBytesMax = 2,
  kTrailersMax = 3,
  kChunkExtensionBytesMax = 4,
  kInformationalMaximum = 5,
  kKeepAliveMs = 6,
  kWriteMs = 7,
  kBodyBytesLow = 8,
  kBodyBytesHigh = 9,
  kSettingsWords = 10,
};

http::ClientSettings settingsOf(const uint32_t* words) {
  http::ClientSettings settings;
  http::Limits& limits = settings.options.limits;
  limits.headBytesMax = words[kHeadBytesMax];
  limits.headersMax = words[kHeadersMax];
  limits.trailerBytesMax = words[kTrailerBytesMax];
  limits.trailersMax = words[kTrailersMax];
  limits.chunkExtensionBytesMax = words[kChunkExtensionBytesMax];
  limits.bodyBytesMax = words[kBodyBytesLow] | uint64_t{words[kBodyBytesHigh]} << 32;
  settings.informationalMax = words[kInformationalMaximum];
  settings.keepAliveMs = words[kKeepAliveMs];
  settings.writeMs = words[kWriteMs];
  return settings;
}

// httpClientAdopt(slot, generation, settings) -> whether the connection is open. In the place of
// raw bytes.
Napi::Value Adopt(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  guest->loop().takeCommands();
  const auto words = info[2].As<Napi::Uint32Array>();
  Channel* channel = guest->loop().find(word(info, 0), word(info, 1));
  http::Client* client = guest->openHttpClient();
  const bool open = channel != nullptr && channel->state == ChannelState::kOpen &&
                    channel->type == ChannelType::kConnection && client != nullptr &&
                    channel->protocol != client && (channel->flags & kReadEnded) == 0 &&
                    words.ElementLength() >= kSettingsWords;
  if (open) {
    channel->protocol->closed(*channel);
    client->adopt(*channel, settingsOf(words.Data()), guest->loop().now());
  }
  return Napi::Boolean::New(info.Env(), open);
}

// httpClientWake(): a request is about to be made, and nothing else keeps the process alive
void Wake(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest != nullptr) guest->stayForRequest();
}

}  // namespace

void addHttpClientFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("httpClientAdopt", Napi::Function::New<Adopt>(env));
  exports.Set("httpClientWake", Napi::Function::New<Wake>(env));
}

}  // namespace ringpoll
