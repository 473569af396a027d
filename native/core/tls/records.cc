#include "records.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace ringpoll::tls {

namespace {

constexpr uint32_t kSealedBytesMax = kRecordBytesMax + kRecordExpansionMax;

constexpr uint8_t kWarning = 1;  // levels of alerts; those of TLS 1.3 say nothing
constexpr uint8_t kFatal = 2;
constexpr uint8_t kCloseNotify = 0;
constexpr uint8_t kUnexpectedMessage = 10;
constexpr uint8_t kBadRecordMac = 20;
constexpr uint8_t kRecordOverflow = 22;
constexpr uint8_t kIllegalParameter = 47;
constexpr uint8_t kDecodeError = 50;
constexpr uint8_t kInternalError = 80;
constexpr uint8_t kUserCanceled = 90;

constexpr uint8_t kKeyUpdateMessage = 24;
constexpr uint32_t kMessageHeadBytes = 4;

int digitOf(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

bool unhex(std::string_view text, uint8_t* into) {
  const size_t bytes = text.size() / 2;
  if (text.size() % 2 != 0 || bytes == 0 || bytes > kHashBytesMax) return false;
  for (size_t i = 0; i < bytes; ++i) {
    const int high = digitOf(text[2 * i]);
    const int low = digitOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace

// LABEL, the client's random bytes, and the secret.
void TrafficSecrets::take(const char* line) {
  const std::string_view text(line);
  const size_t label = text.find(' ');
  const size_t secret = text.rfind(' ');
  if (label == text.npos || secret == label) return;
  const std::string_view name = text.substr(0, label);
  const std::string_view hex = text.substr(secret + 1);
  if (name == "CLIENT_TRAFFIC_SECRET_0") hasClient = unhex(hex, client);
  if (name == "SERVER_TRAFFIC_SECRET_0") hasServer = unhex(hex, server);
  if (name == "EXPORTER_SECRET") hasExporter = unhex(hex, exporter);
}

std::unique_ptr<Records> Records::make(Wire& wire, const Suite& suite,
                                       const TrafficSecrets& secrets, uint64_t sent) {
  std::unique_ptr<Records> made(new Records(wire, suite));
  const bool started = made->in_.start(wire.hkdf(), secrets.client, 0) &&
                       made->out_.start(wire.hkdf(), secrets.server, sent);
  if (!started) return nullptr;
  std::memcpy(made->exporter_, secrets.exporter, suite.hashBytes);
  return made;
}

// From the wire into partial_, until that has so many bytes.
bool Records::gather(size_t bytes) {
  if (partial_.size() >= bytes) return true;
  const size_t some = std::min(bytes - partial_.size(), wire_.inputLeft());
  partial_.insert(partial_.end(), wire_.input(), wire_.input() + some);
  wire_.skip(some);
  return partial_.size() >= bytes;
}

// True: `*record` is whole, with its head. It lies in the wire's input, unless that has only a part
// of it.
bool Records::takeRecord(const uint8_t** record, size_t* length, Progress* progress) {
  *progress = Progress::kNeedsBytes;
  const bool whole = partial_.empty() && wire_.inputLeft() >= kRecordHeadBytes;
  if (!whole && !gather(kRecordHeadBytes)) return false;
  const uint8_t* head = whole ? wire_.input() : partial_.data();
  const size_t bytes = static_cast<size_t>(head[3]) << 8 | head[4];
  if (head[0] != kDataRecord) {
    *progress = fail(kUnexpectedMessage, "unexpected record");
    return false;
  }
  if (bytes > kSealedBytesMax) {
    *progress = fail(kRecordOverflow, "encrypted length too long");
    return false;
  }
  *length = bytes;
  if (whole && wire_.inputLeft() >= kRecordHeadBytes + bytes) {
    *record = head;
    wire_.skip(kRecordHeadBytes + bytes);
    return true;
  }
  partial_.reserve(kRecordHeadBytes + bytes);
  if (!gather(kRecordHeadBytes + bytes)) return false;
  *record = partial_.data();
  return true;
}

Progress Records::read(uint8_t* into, size_t* got) {
  Progress progress = Progress::kDone;
  while (progress == Progress::kDone) {
    const uint8_t* record = nullptr;
    size_t length = 0;
    if (!takeRecord(&record, &length, &progress)) return progress;
    size_t bytes = 0;
    const bool opened = in_.open(record, length, into, &bytes);
    if (record == partial_.data()) std::vector<uint8_t>().swap(partial_);
    if (!opened) return fail(kBadRecordMac, "decryption failed or bad record mac");
    // The type is the last byte that is not padding.
    while (bytes > 0 && into[bytes - 1] == 0) --bytes;
    if (bytes == 0) return fail(kUnexpectedMessage, "bad record type");
    if (--bytes > kRecordBytesMax) return fail(kRecordOverflow, "data length too long");
    progress = handle(into[bytes], into, bytes, got);
    if (*got > 0) return progress;
  }
  return progress;
}

// kDone without bytes: the next record.
Progress Records::handle(uint8_t type, const uint8_t* bytes, size_t length, size_t* got) {
  if (messageBytes_ > 0 && type != kHandshakeRecord) {
    return fail(kUnexpectedMessage, "unexpected message");
  }
  switch (type) {
    case kDataRecord:
      if (length == 0 && ++empty_ > kEmptyRecordsMax) {
        return fail(kUnexpectedMessage, "record too small");
      }
      if (length > 0) empty_ = 0;
      *got = length;
      return Progress::kDone;
    case kAlertRecord:
      return alerted(bytes, length);
    case kHandshakeRecord:
      return messaged(bytes, length);
    default:
      return fail(kUnexpectedMessage, "unexpected record");
  }
}

Progress Records::alerted(const uint8_t* bytes, size_t length) {
  if (length != 2) return fail(kDecodeError, "bad alert");
  if (bytes[1] == kCloseNotify) return Progress::kEnded;
  if (bytes[1] == kUserCanceled) {
    if (++warnings_ > kWarningsMax) return fail(kUnexpectedMessage, "too many warn alerts");
    return Progress::kDone;
  }
  alert_ = bytes[1];
  alertIsPeers_ = true;
  const char* words = openSsl()->SSL_alert_desc_string_long(bytes[1]);
  reason_ = words == nullptr ? "" : words;
  return Progress::kFailed;
}

// A client has nothing to say but key updates; and what comes behind one has other keys.
Progress Records::messaged(const uint8_t* bytes, size_t length) {
  if (length == 0) return fail(kUnexpectedMessage, "empty handshake record");
  const size_t some = std::min<size_t>(length, kKeyUpdateBytes - messageBytes_);
  std::memcpy(message_ + messageBytes_, bytes, some);
  messageBytes_ += static_cast<uint8_t>(some);
  if (message_[0] != kKeyUpdateMessage) return fail(kUnexpectedMessage, "unexpected message");
  if (messageBytes_ < kMessageHeadBytes) return Progress::kDone;
  if (message_[1] != 0 || message_[2] != 0 || message_[3] != 1) {
    return fail(kDecodeError, "bad key update");
  }
  if (messageBytes_ < kKeyUpdateBytes) return Progress::kDone;
  if (length > some) return fail(kUnexpectedMessage, "not on record boundary");
  messageBytes_ = 0;
  return updateKeys(message_[kMessageHeadBytes]);
}

Progress Records::updateKeys(uint8_t request) {
  ++messages_;
  if (request > 1) return fail(kIllegalParameter, "bad key update");
  if (!in_.update(wire_.hkdf())) return fail(kInternalError, "internal error");
  if (request == 0) return Progress::kDone;
  const uint8_t answer[kKeyUpdateBytes] = {kKeyUpdateMessage, 0, 0, 1, 0};
  if (!send(kHandshakeRecord, answer, sizeof answer) || !out_.update(wire_.hkdf())) {
    return fail(kInternalError, "internal error");
  }
  return Progress::kDone;
}

bool Records::send(uint8_t type, const uint8_t* bytes, size_t length) {
  const size_t sealed = length + kRecordOverheadBytes;
  uint8_t* into = wire_.room(sealed);
  if (into == nullptr || !out_.seal(type, bytes, length, into)) return false;
  wire_.commit(sealed);
  return true;
}

bool Records::write(const uint8_t* bytes, size_t length) {
  while (length > 0) {
    const size_t some = std::min<size_t>(length, kRecordBytesMax);
    if (!send(kDataRecord, bytes, some)) return false;
    bytes += some;
    length -= some;
  }
  return true;
}

void Records::end() {
  const uint8_t alert[] = {kWarning, kCloseNotify};
  send(kAlertRecord, alert, sizeof alert);
}

Progress Records::fail(uint8_t alert, const char* reason) {
  alert_ = alert;
  reason_ = reason;
  const uint8_t bytes[] = {kFatal, alert};
  send(kAlertRecord, bytes, sizeof bytes);
  return Progress::kFailed;
}

bool Records::exportKeyingMaterial(std::string_view label, const uint8_t* context,
                                   size_t contextBytes, uint8_t* into, size_t bytes) {
  return wire_.hkdf().exportSecret(suite_, exporter_, label, context, contextBytes, into, bytes);
}

}  // namespace ringpoll::tls
