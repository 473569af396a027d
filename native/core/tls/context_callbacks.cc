#include "context_callbacks.h"

namespace ringpoll::tls {

// The name decides before anything else is looked at: also which sessions may be resumed.
int Callbacks::clientHello(ssl_st* connection, int* alert, void* /*data*/) {
  const OpenSsl& ssl = *openSsl();
  const Context& context = contextOf(ssl, connection);
  const unsigned char* extension = nullptr;
  size_t length = 0;
  std::string name;
  if (ssl.SSL_client_hello_get0_ext(connection, OpenSsl::kExtensionServerName, &extension,
                                    &length) == 1) {
    name = serverNameOf(extension, length);
  }
  if (!name.empty()) {
    const auto* found = context.serverNames_.find(name);
    if (found != nullptr) {
      (*found)->use(connection);
      return OpenSsl::kHelloOk;
    }
  }
  SessionHooks* hooks = hooksOf(ssl, connection);
  if (hooks == nullptr) return OpenSsl::kHelloOk;
  switch (hooks->serverName(name)) {
    case SessionHooks::Named::kGoOn:
      return OpenSsl::kHelloOk;
    case SessionHooks::Named::kWait:
      return OpenSsl::kHelloRetry;
    case SessionHooks::Named::kRefuse:
      break;
  }
  *alert = OpenSsl::kAlertUnrecognizedName;
  return OpenSsl::kHelloError;
}

// What was to be done with the name is done. Without this callback OpenSSL would forget it.
int Callbacks::nameIsKnown(ssl_st* /*connection*/, int* /*alert*/, void* /*data*/) {
  return OpenSsl::kExtensionOk;
}

// The first of our own that the client offers. RFC 7301, section 3.2: without one in common the
// handshake ends with no_application_protocol.
int Callbacks::selectAlpn(ssl_st* connection, const unsigned char** chosen, unsigned char* length,
                          const unsigned char* offered, unsigned offeredBytes, void* /*data*/) {
  const Bytes& ours = contextOf(*openSsl(), connection).alpn_;
  for (size_t i = 0; i < ours.size(); i += 1 + ours[i]) {
    for (size_t j = 0; j < offeredBytes; j += 1 + static_cast<size_t>(offered[j])) {
      const size_t bytes = offered[j];
      if (bytes != ours[i] || j + bytes >= offeredBytes) continue;
      if (std::memcmp(&ours[i + 1], &offered[j + 1], bytes) != 0) continue;
      *chosen = &offered[j + 1];
      *length = offered[j];
      return OpenSsl::kExtensionOk;
    }
  }
  return OpenSsl::kExtensionFatal;
}

int Callbacks::ticketKey(ssl_st* connection, unsigned char* name, unsigned char* iv,
                         evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, int encrypts) {
  const OpenSsl& ssl = *openSsl();
  const int result =
      contextOf(ssl, connection).ticketKeys_->prepare(ssl, name, iv, cipher, mac, encrypts != 0);
  // A ticket of TLS 1.3 is for one connection (RFC 8446, appendix C.4): its client needs another.
  const bool renews = encrypts == 0 && result == TicketKeys::kUsable &&
                      ssl.SSL_version(connection) >= OpenSsl::kTls13;
  return renews ? TicketKeys::kUsableAndOld : result;
}

int Callbacks::staple(ssl_st* connection, void* /*data*/) {
  const OpenSsl& ssl = *openSsl();
  const x509_st* sent = ssl.SSL_get_certificate(connection);
  for (const Chain& chain : contextOf(ssl, connection).chains_) {
    if (sent == nullptr || chain.staple.empty()) continue;
    if (ssl.X509_cmp(chain.certificate.get(), sent) != 0) continue;
    const size_t bytes = chain.staple.size();
    void* copy = ssl.CRYPTO_malloc(bytes, __FILE__, __LINE__);
    if (copy == nullptr) return OpenSsl::kExtensionNone;
    std::memcpy(copy, chain.staple.data(), bytes);
    // The connection frees it.
    ssl.SSL_ctrl(connection, OpenSsl::kSetStatusResponse, static_cast<long>(bytes), copy);
    return OpenSsl::kExtensionOk;
  }
  return OpenSsl::kExtensionNone;
}

// 1: the reference is ours.
int Callbacks::sessionCame(ssl_st* connection, ssl_session_st* session) {
  SessionHooks* hooks = hooksOf(*openSsl(), connection);
  if (hooks == nullptr) return 0;
  hooks->sessionCame(OwnedSession(session));
  return 1;
}

void Callbacks::keylog(const ssl_st* connection, const char* line) {
  SessionHooks* hooks = hooksOf(*openSsl(), connection);
  if (hooks == nullptr) return;
  hooks->secretCame(line);
  if (contextOf(*openSsl(), connection).keylog_) hooks->keylog(line);
}

int Callbacks::acceptAnyway(int /*ok*/, x509_store_ctx_st* /*store*/) { return 1; }

}  // namespace ringpoll::tls
