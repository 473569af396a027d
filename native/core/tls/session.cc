#include "session.h"

#include <algorithm>

namespace ringpoll::tls {

namespace {

// Of what OpenSSL tells its callbacks.
constexpr int kSetMessageArgument = 16;
constexpr int kAlertRecord = 21;
constexpr int kHandshakeRecord = 22;
constexpr uint8_t kAlertCloseNotify = 0;

}  // namespace

// A connection that was not shut down both ways would take its session along, which then could not
// be resumed. One that failed has been taken out by OpenSSL already.
Session::~Session() {
  if (ssl_ == nullptr) return;
  if (!failed_) {
    api_.SSL_set_shutdown(ssl_.get(), OpenSsl::kSentShutdown | OpenSsl::kReceivedShutdown);
  }
  ssl_.reset();
  api_.ERR_clear_error();
}

bool Session::begin(OwnedSsl made) {
  if (made == nullptr) return false;
  ssl_ = std::move(made);
  wire_.attach(ssl_.get());
  api_.SSL_set_msg_callback(ssl_.get(), onMessage);
  api_.SSL_ctrl(ssl_.get(), kSetMessageArgument, 0, this);
  return true;
}

bool Session::accept(SessionHooks* hooks) {
  const bool made = begin(context_->newServer(hooks));
  api_.ERR_clear_error();
  return made;
}

bool Session::connect(SessionHooks* hooks, const std::string& serverName,
                      const std::string& verifyName, ssl_session_st* resumed) {
  const bool made = begin(context_->newClient(hooks, serverName, verifyName));
  // One that cannot be used, such as of another version, only means a full handshake.
  if (made && resumed != nullptr) api_.SSL_set_session(ssl_.get(), resumed);
  api_.ERR_clear_error();
  return made;
}

// Alerts are told here. And of a key update, a ticket or a wish to negotiate again, the peer
// decides how often it comes.
void Session::onMessage(int writes, int /*version*/, int type, const void* bytes, size_t length,
                        ssl_st* /*connection*/, void* session) {
  auto& self = *static_cast<Session*>(session);
  if (type == kHandshakeRecord && writes == 0 && self.established_) ++self.laterMessages_;
  if (type != kAlertRecord || length < 2) return;
  const uint8_t alert = static_cast<const uint8_t*>(bytes)[1];
  if (alert == kAlertCloseNotify) return;
  self.alert_ = alert;
  self.alertIsPeers_ = writes == 0;
}

bool Session::behaves(uint64_t nowMs) {
  if (laterMessages_ == 0) return true;
  if (laterSinceMs_ == 0) laterSinceMs_ = nowMs;
  const uint64_t forgiven = (nowMs - laterSinceMs_) / kLaterMessageMs;
  if (forgiven > 0) {
    laterMessages_ -= static_cast<uint32_t>(std::min<uint64_t>(forgiven, laterMessages_));
    laterSinceMs_ += forgiven * kLaterMessageMs;
  }
  return laterMessages_ <= kLaterMessagesMax;
}

Progress Session::progressOf(int result) {
  switch (api_.SSL_get_error(ssl_.get(), result)) {
    case OpenSsl::kErrorWantRead:
      return Progress::kNeedsBytes;
    case OpenSsl::kErrorWantHello:
      return Progress::kWaits;
    case OpenSsl::kErrorZeroReturn:
      return Progress::kEnded;
    default:
      failed_ = true;
      return Progress::kFailed;
  }
}

Progress Session::handshake() {
  api_.ERR_clear_error();
  const int result = api_.SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    api_.ERR_clear_error();
    return Progress::kDone;
  }
  return progressOf(result);
}

Progress Session::read(uint8_t* into, size_t room, size_t* got) {
  *got = 0;
  api_.ERR_clear_error();
  const int result = api_.SSL_read_ex(ssl_.get(), into, room, got);
  return result == 1 ? Progress::kDone : progressOf(result);
}

bool Session::write(const uint8_t* bytes, size_t length) {
  api_.ERR_clear_error();
  while (length > 0 && !failed_) {
    size_t taken = 0;
    const int result = api_.SSL_write_ex(ssl_.get(), bytes, length, &taken);
    if (result != 1) {
      // The wire takes everything or has no memory, and renegotiation does not exist here.
      failed_ = true;
      break;
    }
    bytes += taken;
    length -= taken;
  }
  return !failed_;
}

void Session::end() {
  if (ended_ || failed_ || !established_) return;
  ended_ = true;
  api_.ERR_clear_error();
  api_.SSL_shutdown(ssl_.get());
  api_.ERR_clear_error();
}

Failure Session::takeFailure() {
  Failure failure;
  failure.reason = api_.takeReason();
  failure.verifyResult = api_.SSL_get_verify_result(ssl_.get());
  failure.alert = alert_;
  failure.alertIsPeers = alertIsPeers_;
  return failure;
}

bool Session::resumed() const { return api_.SSL_session_reused(ssl_.get()) == 1; }

int Session::version() const { return api_.SSL_version(ssl_.get()); }

}  // namespace ringpoll::tls
