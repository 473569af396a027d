// Two connections of TLS in one process, which talk through memory.
#pragma once

#include <string>
#include <vector>

#include "core/tls/context.h"
#include "tls_certificates.h"
#include "tls_fixture.h"

namespace test {

namespace tls = ringpoll::tls;

inline tls::Bytes bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

inline tls::KeyOption keyOf(const std::string& key) { return {tls::Secret(key), {}}; }
inline tls::KeyOption keyOf(const std::string& key, const std::string& passphrase) {
  return {tls::Secret(key), tls::Secret(passphrase)};
}

// Options of a server that has these certificates.
template <typename... Certificates>
tls::ContextOptions serverOptions(const Certificates&... certificates) {
  tls::ContextOptions options;
  (options.certificates.push_back(bytesOf(certificates.pem())), ...);
  (options.keys.push_back(keyOf(certificates.keyPem())), ...);
  return options;
}

// Options of a client that trusts these and no others.
template <typename... Certificates>
tls::ContextOptions clientOptions(const Certificates&... certificates) {
  tls::ContextOptions options;
  options.role = tls::Role::kClient;
  options.ownAuthorities = true;
  (options.authorities.push_back(bytesOf(certificates.pem())), ...);
  return options;
}

inline std::shared_ptr<const tls::Context> contextOf(tls::ContextOptions options) {
  tls::ContextError error;
  return tls::Context::make(std::move(options), &error);
}

inline tls::ContextError errorOf(tls::ContextOptions options) {
  tls::ContextError error;
  tls::Context::make(std::move(options), &error);
  return error;
}

struct ClientHooks : tls::SessionHooks {
  void sessionCame(tls::OwnedSession came) override { session = std::move(came); }
  void keylog(const char* line) override { lines.emplace_back(line); }
  tls::OwnedSession session;
  std::vector<std::string> lines;
};

struct ServerHooks : tls::SessionHooks {
  Named serverName(const std::string& name) override {
    names.push_back(name);
    return answer;
  }
  std::vector<std::string> names;
  Named answer = Named::kGoOn;
};

// A handshake, and what both sides have to say of it.
class Handshake {
 public:
  Handshake(const tls::Context& server, const tls::Context& client,
            const std::string& name = "localhost", ssl_session_st* session = nullptr)
      : ssl_(*tls::openSsl()) {
    server_ = server.newServer(&serverHooks);
    client_ = client.newClient(&clientHooks, name, name);
    bio_st* up = ssl_.BIO_new(ssl_.BIO_s_mem());
    bio_st* down = ssl_.BIO_new(ssl_.BIO_s_mem());
    ssl_.BIO_up_ref(up);
    ssl_.BIO_up_ref(down);
    ssl_.SSL_set_bio(server_.get(), up, down);
    ssl_.SSL_set_bio(client_.get(), down, up);
    if (session != nullptr) ssl_.SSL_set_session(client_.get(), session);
  }

  ~Handshake() {
    // Without it the session could not be resumed.
    ssl_.SSL_set_shutdown(server_.get(), 3);
    ssl_.SSL_set_shutdown(client_.get(), 3);
  }

  // True: both sides are done, and the client has had the chance to read a ticket.
  bool run() {
    for (int i = 0; i < 10; ++i) {
      if (step(client_.get(), &clientError)) return false;
      if (step(server_.get(), &serverError)) return false;
    }
    char byte;
    size_t got = 0;
    ssl_.SSL_read_ex(client_.get(), &byte, 1, &got);
    // In TLS 1.3 the client is done before the server has seen its certificate.
    return ssl_.SSL_is_init_finished(server_.get()) && ssl_.SSL_is_init_finished(client_.get());
  }

  bool waits() const { return ssl_.SSL_get_error(server_.get(), last_) == ssl_.kErrorWantHello; }
  bool reused() const { return ssl_.SSL_session_reused(server_.get()) == 1; }
  std::string version() const { return ssl_.SSL_get_version(client_.get()); }
  long clientVerified() const { return ssl_.SSL_get_verify_result(client_.get()); }
  long serverVerified() const { return ssl_.SSL_get_verify_result(server_.get()); }
  std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    ssl_.SSL_get0_alpn_selected(client_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }
  // Whether the client sees this certificate.
  bool sees(const Certificate& certificate) const {
    const tls::OwnedCertificate peer(ssl_.SSL_get1_peer_certificate(client_.get()));
    if (peer == nullptr) return false;
    unsigned char* der = nullptr;
    const int length = ssl_.i2d_X509(peer.get(), &der);
    const std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(length));
    ssl_.CRYPTO_free(der, __FILE__, __LINE__);
    return bytes == certificate.der();
  }
  int chainLength() const {
    auto* chain = reinterpret_cast<stack_st*>(ssl_.SSL_get_peer_cert_chain(client_.get()));
    return chain == nullptr ? 0 : ssl_.OPENSSL_sk_num(chain);
  }
  ssl_st* client() { return client_.get(); }
  ssl_st* server() { return server_.get(); }

  ClientHooks clientHooks;
  ServerHooks serverHooks;
  std::string clientError;
  std::string serverError;

 private:
  // True: it has failed.
  bool step(ssl_st* side, std::string* error) {
    last_ = ssl_.SSL_do_handshake(side);
    if (last_ == 1) return false;
    const int why = ssl_.SSL_get_error(side, last_);
    if (why == ssl_.kErrorWantRead || why == ssl_.kErrorWantHello) return false;
    *error = ssl_.takeReason();
    // The other side hears of the alert.
    if (side == server_.get() && clientError.empty()) {
      const int result = ssl_.SSL_do_handshake(client_.get());
      char byte;
      size_t got = 0;
      if (result == 1) ssl_.SSL_read_ex(client_.get(), &byte, 1, &got);
      clientError = ssl_.takeReason();
    }
    return true;
  }

  const tls::OpenSsl& ssl_;
  tls::OwnedSsl server_;
  tls::OwnedSsl client_;
  int last_ = 0;
};

}  // namespace test
