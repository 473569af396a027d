// A client of TLS that is OpenSSL alone, over a plain socket in the test's thread: what the filter
// is compared with. How many bytes it hands over at a time is the test's choice.
#pragma once

#include <algorithm>
#include <string>

#include "real_fixture.h"
#include "tls_handshake.h"

namespace test {

class TlsPeer {
 public:
  explicit TlsPeer(const tls::Context& context, ssl_session_st* session = nullptr,
                   const std::string& name = "localhost")
      : api_(*tls::openSsl()), ssl_(context.newClient(&hooks, name, "")) {
    in_ = api_.BIO_new(api_.BIO_s_mem());
    out_ = api_.BIO_new(api_.BIO_s_mem());
    api_.SSL_set_bio(ssl_.get(), in_, out_);
    if (session != nullptr) api_.SSL_set_session(ssl_.get(), session);
  }
  ~TlsPeer() { api_.SSL_set_shutdown(ssl_.get(), 3); }
  TlsPeer(const TlsPeer&) = delete;

  // Goes on as far as it can. At most `most` bytes leave.
  void pump(size_t most = SIZE_MAX) {
    feed(socket.read());
    if (!secure && !failed) handshake();
    if (secure) readPlain();
    takeOut();
    const size_t bytes = std::min(most, wire_.size());
    if (bytes > 0) wire_.erase(0, socket.write(wire_.substr(0, bytes)));
  }
  void feed(const std::string& bytes) {
    received += bytes.size();
    if (!bytes.empty()) api_.BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  }
  void write(const std::string& bytes) {
    size_t taken = 0;
    for (size_t at = 0; at < bytes.size(); at += taken) {
      if (api_.SSL_write_ex(ssl_.get(), bytes.data() + at, bytes.size() - at, &taken) != 1) return;
    }
  }
  void end() { api_.SSL_shutdown(ssl_.get()); }
  // TLS 1.2 has no such thing.
  void updateKeys(bool asksForOurs) {
    if (api_.SSL_version(ssl_.get()) < tls::OpenSsl::kTls13) return;
    api_.SSL_key_update(ssl_.get(), asksForOurs ? 1 : 0);
    api_.SSL_do_handshake(ssl_.get());
    api_.ERR_clear_error();
  }
  // What it would send, which is then not sent.
  std::string takeWire() {
    takeOut();
    return std::exchange(wire_, {});
  }
  bool idle() const { return wire_.empty(); }
  bool reused() const { return api_.SSL_session_reused(ssl_.get()) == 1; }
  ssl_st* handle() { return ssl_.get(); }

  Peer socket;
  ClientHooks hooks;
  std::string plain;
  std::string reason;
  bool secure = false;
  bool ended = false;  // close_notify was seen
  bool failed = false;
  size_t records = 0;
  size_t received = 0;

 private:
  void handshake() {
    const int result = api_.SSL_do_handshake(ssl_.get());
    secure = result == 1;
    if (!secure) note(result);
  }
  void readPlain() {
    char buffer[32768];
    while (!ended && !failed) {
      size_t got = 0;
      const int result = api_.SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &got);
      if (result != 1) {
        note(result);
        return;
      }
      plain.append(buffer, got);
      ++records;
    }
  }
  void note(int result) {
    switch (api_.SSL_get_error(ssl_.get(), result)) {
      case tls::OpenSsl::kErrorWantRead:
        break;
      case tls::OpenSsl::kErrorZeroReturn:
        ended = true;
        break;
      default:
        failed = true;
        reason = api_.takeReason();
        break;
    }
  }
  void takeOut() {
    char buffer[32768];
    for (int n; (n = api_.BIO_read(out_, buffer, sizeof buffer)) > 0;) {
      wire_.append(buffer, static_cast<size_t>(n));
    }
  }

  const tls::OpenSsl& api_;
  tls::OwnedSsl ssl_;
  bio_st* in_ = nullptr;  // the connection's
  bio_st* out_ = nullptr;
  std::string wire_;
};

}  // namespace test
