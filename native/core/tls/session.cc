#include "session.h"

#include <algorithm>

#include "core/base/assert.h"

namespace ringpoll::tls {

namespace {

// Of what OpenSSL tells its callbacks.
constexpr int kSetMessageArgument = 16;
constexpr uint8_t kAlertCloseNotify = 0;
constexpr uint8_t kFinishedMessage = 20;

}  // namespace

const char* versionName(int version) {
  switch (version) {
    case OpenSsl::kTls10:
      return "TLSv1";
    case OpenSsl::kTls11:
      return "TLSv1.1";
    case OpenSsl::kTls12:
      return "TLSv1.2";
    case OpenSsl::kTls13:
      return "TLSv1.3";
    default:
      return "unknown";
  }
}

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
// decides how often it comes. Behind a server's Finished its next keys are made and used.
void Session::onMessage(int writes, int /*version*/, int type, const void* bytes, size_t length,
                        ssl_st* /*connection*/, void* session) {
  auto& self = *static_cast<Session*>(session);
  const uint8_t* at = static_cast<const uint8_t*>(bytes);
  if (type == OpenSsl::kRecordHeader) {
    if (writes != 0 && self.sentFinished_ && at[0] == kDataRecord) ++self.sentRecords_;
    return;
  }
  if (type == kHandshakeRecord) {
    if (writes == 0 && self.established_) ++self.laterMessages_;
    if (writes != 0 && length > 0 && at[0] == kFinishedMessage && self.mayTakeOver()) {
      self.sentFinished_ = true;
      self.hearSecrets(true);
    }
  }
  if (type != kAlertRecord || length < 2) return;
  const uint8_t alert = at[1];
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
  if (sentFinished_) hearSecrets(true);
  const int result = api_.SSL_do_handshake(ssl_.get());
  if (sentFinished_) hearSecrets(false);
  if (result == 1) {
    established_ = true;
    api_.ERR_clear_error();
    return Progress::kDone;
  }
  return progressOf(result);
}

// Clients keep OpenSSL's: tickets come behind their handshake. And a server keeps it for those who
// have shown a certificate, which is asked for later.
bool Session::mayTakeOver() const {
  return context_->role() == Role::kServer && context_->ownRecords() &&
         api_.SSL_version(ssl_.get()) == OpenSsl::kTls13 &&
         suiteOf(api_.SSL_CIPHER_get_id(cipher())) != nullptr &&
         api_.SSL_get0_peer_certificate(ssl_.get()) == nullptr;
}

// OpenSSL tells them to a callback of its context alone, which others of our connections have too:
// it is there only while this one's secrets are made. Each line costs some microseconds.
void Session::hearSecrets(bool on) { Context::hearSecrets(ssl_.get(), on); }

void Session::secretCame(const char* line) {
  if (!sentFinished_) return;
  if (secrets_ == nullptr) secrets_ = std::make_unique<TrafficSecrets>();
  secrets_->take(line);
}

void Session::takeOver() {
  const std::unique_ptr<TrafficSecrets> secrets = std::move(secrets_);
  if (secrets == nullptr || !secrets->whole() || !established_ || failed_ || ended_) return;
  if (!mayTakeOver() || holdsInput()) return;
  auto agreed = std::make_unique<Agreed>();
  agreed->cipher = cipher();
  agreed->records = Records::make(wire_, *suiteOf(api_.SSL_CIPHER_get_id(agreed->cipher)), *secrets,
                                  sentRecords_);
  if (agreed->records != nullptr) {
    agreed->alpn = alpn();
    agreed->serverName = serverName();
    agreed->resumed = resumed();
    // Otherwise its session could not be resumed.
    api_.SSL_set_shutdown(ssl_.get(), OpenSsl::kSentShutdown | OpenSsl::kReceivedShutdown);
    ssl_.reset();
    agreed_ = std::move(agreed);
  }
  api_.ERR_clear_error();
}

Progress Session::read(uint8_t* into, size_t room, size_t* got) {
  *got = 0;
  if (agreed_ != nullptr) {
    RP_ASSERT(room >= kRecordRoomBytes);
    Records& records = *agreed_->records;
    const Progress progress = failed_ ? Progress::kFailed : records.read(into, got);
    laterMessages_ += records.takeMessages();
    if (progress == Progress::kFailed) failed_ = true;
    return progress;
  }
  api_.ERR_clear_error();
  const int result = api_.SSL_read_ex(ssl_.get(), into, room, got);
  return result == 1 ? Progress::kDone : progressOf(result);
}

bool Session::write(const uint8_t* bytes, size_t length) {
  if (agreed_ != nullptr) {
    if (!failed_ && !agreed_->records->write(bytes, length)) failed_ = true;
    return !failed_;
  }
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
  if (agreed_ != nullptr) {
    agreed_->records->end();
    return;
  }
  api_.ERR_clear_error();
  api_.SSL_shutdown(ssl_.get());
  api_.ERR_clear_error();
}

Failure Session::takeFailure() {
  Failure failure;
  if (agreed_ != nullptr) {
    const Records& records = *agreed_->records;
    failure.reason = records.reason();
    failure.alert = records.alert();
    failure.alertIsPeers = records.alertIsPeers();
    api_.ERR_clear_error();
    return failure;
  }
  failure.reason = api_.takeReason();
  failure.verifyResult = api_.SSL_get_verify_result(ssl_.get());
  failure.alert = alert_;
  failure.alertIsPeers = alertIsPeers_;
  return failure;
}

bool Session::resumed() const {
  return agreed_ != nullptr ? agreed_->resumed : api_.SSL_session_reused(ssl_.get()) == 1;
}

int Session::version() const {
  return agreed_ != nullptr ? OpenSsl::kTls13 : api_.SSL_version(ssl_.get());
}

const ssl_cipher_st* Session::cipher() const {
  return agreed_ != nullptr ? agreed_->cipher : api_.SSL_get_current_cipher(ssl_.get());
}

std::string_view Session::alpn() const {
  if (agreed_ != nullptr) return agreed_->alpn;
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  api_.SSL_get0_alpn_selected(ssl_.get(), &name, &bytes);
  return {reinterpret_cast<const char*>(name), bytes};
}

std::string_view Session::serverName() const {
  if (agreed_ != nullptr) return agreed_->serverName;
  const char* name = api_.SSL_get_servername(ssl_.get(), OpenSsl::kHostName);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

long Session::verifyResult() const {
  return agreed_ != nullptr ? OpenSsl::kVerified : api_.SSL_get_verify_result(ssl_.get());
}

x509_st* Session::peerCertificate() const {
  return agreed_ != nullptr ? nullptr : api_.SSL_get0_peer_certificate(ssl_.get());
}

const stack_st* Session::peerChain() const {
  if (agreed_ != nullptr) return nullptr;
  return reinterpret_cast<const stack_st*>(api_.SSL_get_peer_cert_chain(ssl_.get()));
}

bool Session::exportKeyingMaterial(std::string_view label, bool hasContext, const uint8_t* context,
                                   size_t contextBytes, uint8_t* into, size_t bytes) {
  const bool done =
      agreed_ != nullptr
          ? agreed_->records->exportKeyingMaterial(label, context, contextBytes, into, bytes)
          : api_.SSL_export_keying_material(ssl_.get(), into, bytes, label.data(), label.size(),
                                            context, contextBytes, hasContext ? 1 : 0) == 1;
  api_.ERR_clear_error();
  return done;
}

}  // namespace ringpoll::tls
