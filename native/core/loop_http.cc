// The loop's side of HTTP: what the server asks of it, and the commands that JavaScript gives.
#include <cerrno>

#include "assert.h"
#include "loop.h"

namespace ringpoll {

bool Loop::openHttp() {
  if (http_ != nullptr) return true;
  uint32_t* heads = host_.openHeads(http::kHeadTableWords);
  if (heads == nullptr) return false;
  http::Output& output = *this;
  http_ = std::make_unique<http::Server>(arena_, events_, output, heads, http::kHeadTableWords);
  return true;
}

uint32_t Loop::addHttpTemplate(uint32_t owner, std::string text, uint32_t dateOffset) {
  // The listener and all its connections are over, and JavaScript has not heard of it yet, or
  // answers a request of long ago: nothing will be sent, so any number will do.
  if (owner >= owners_.size() || owners_[owner].http == nullptr) return 0;
  std::vector<http::HeadTemplate>& templates = owners_[owner].http->templates;
  templates.emplace_back(std::move(text), dateOffset);
  RP_ASSERT(templates.back().valid());
  return static_cast<uint32_t>(templates.size()) - 1;
}

void Loop::stopHttp(uint32_t owner) {
  // An answer that was given but not flushed counts as given.
  flush();
  if (owner >= owners_.size() || owners_[owner].http == nullptr) return;
  owners_[owner].http->stopping = true;
  channels_.forEach([&](Channel& channel) {
    if (channel.owner != owner || channel.protocol == nullptr) return;
    if (channel.state == ChannelState::kOpen) http_->stop(channel);
  });
}

const http::ProxyHeader* Loop::httpProxyHeader(const Channel& channel) const {
  return channel.protocol == nullptr ? nullptr : http_->proxyHeader(channel);
}

void Loop::queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  pending_[channel.slot] += length;
  queues_.push(channel.sends, block, offset, length, false);
  markDirty(channel);
}

void Loop::endWhenSent(Channel& channel) {
  channel.flags |= kWriteEnding;
  markDirty(channel);
}

void Loop::closeWhenSent(Channel& channel) {
  channel.flags |= kCloseWhenSent;
  engineOf(channel).pauseReceive(channel);
  markDirty(channel);
}

void Loop::pauseReading(Channel& channel, bool paused) {
  if (paused) {
    channel.flags |= kProtocolPaused;
    if (!(channel.flags & kReadEnded)) engineOf(channel).pauseReceive(channel);
  } else {
    channel.flags &= ~kProtocolPaused;
    if (channel.state == ChannelState::kOpen) receiveIfWanted(channel);
  }
}

void Loop::armTimer(Channel& channel, uint64_t delayMs) {
  if (channel.idleTimeoutMs == 0) timers_.arm(channel.timer, nowMs_, delayMs);
}

void Loop::httpCommand(Channel& channel, const int32_t* words) {
  if (channel.protocol == nullptr) return;
  switch (static_cast<CommandKind>(words[0])) {
    case CommandKind::kHttpRespond:
      httpRespond(channel, words);
      break;
    case CommandKind::kHttpDone:
      http_->responded(channel, nowMs_);
      break;
    case CommandKind::kHttpRaw:
      timers_.cancel(channel.timer);
      http_->takeRaw(channel);
      break;
    default:
      break;
  }
}

void Loop::httpRespond(Channel& channel, const int32_t* words) {
  if (channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent)) return;
  const auto flags = static_cast<uint32_t>(words[3]);
  const auto fieldBytes = static_cast<uint32_t>(words[5]);
  const auto bodyBytes = static_cast<uint32_t>(words[6]);
  RP_ASSERT(staging_ != kNoBlock);
  const uint32_t offset = static_cast<uint32_t>(words[4]) - arena_.slabOffset(staging_);
  RP_ASSERT(bodyBytes <= kHotBlockBytes && fieldBytes <= kHotBlockBytes - bodyBytes &&
            arena_.contains(staging_, offset, fieldBytes + bodyBytes));
  const char* const staged = reinterpret_cast<const char*>(arena_.data(staging_)) + offset;
  http::ResponseCommand response;
  response.head = flags >> kHttpRespondTemplateShift;
  response.parts.fields = {staged, fieldBytes};
  if (!(flags & kHttpRespondNoLength)) response.parts.contentLength = words[7];
  if (bodyBytes <= http::kCopiedBodyMax) {
    response.parts.body = {staged + fieldBytes, bodyBytes};
  } else {
    response.bodyBlock = staging_;
    response.bodyOffset = offset + fieldBytes;
    response.bodyBytes = bodyBytes;
  }
  if (!http_->respond(channel, response)) {
    fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  if (flags & kHttpRespondLast) http_->responded(channel, nowMs_);
}

}  // namespace ringpoll
