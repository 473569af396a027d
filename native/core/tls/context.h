// What TLS connections have in common: keys, certificates, whom is trusted, versions, ciphers.
//
// A Context never changes, but for the keys of its tickets. Another configuration is another
// Context: new connections get that one, and those that are open keep theirs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "context_options.h"
#include "credentials.h"
#include "owned.h"
#include "server_names.h"
#include "ticket_keys.h"

namespace ringpoll::tls {

// What one connection is asked while OpenSSL works on it. Nothing here may end the connection.
class SessionHooks {
 public:
  enum class Named : uint8_t { kGoOn, kWait, kRefuse };

  virtual ~SessionHooks() = default;
  // A ClientHello has come with this name, in lower case; empty: without. Asked when the context's
  // own names do not have it, again when the handshake goes on after kWait, and again for the
  // second ClientHello of TLS 1.3. kWait leaves the handshake with kErrorWantHello.
  virtual Named serverName(const std::string& /*name*/) { return Named::kGoOn; }
  // A client's session, which can be resumed. The hooks own a reference of it.
  virtual void sessionCame(OwnedSession /*session*/) {}
  // A secret of a server's connection, as a line of NSS's key log format; see hearSecrets().
  virtual void secretCame(const char* /*line*/) {}
  // The same, and every other one, if the context has `keylog`.
  virtual void keylog(const char* /*line*/) {}
};

class Context {
 public:
  // null: `error` says why.
  static std::shared_ptr<const Context> make(ContextOptions options, ContextError* error);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // A connection of a server. The context must outlive it, and `hooks` too. null: no memory.
  OwnedSsl newServer(SessionHooks* hooks) const;
  // A connection of a client, which sends `serverName` unless that is empty. `verifyName`, a name
  // or an IP address, must be in the peer's certificate; empty: it is not looked at.
  OwnedSsl newClient(SessionHooks* hooks, const std::string& serverName,
                     const std::string& verifyName) const;
  // The handshake of `ssl` goes on with this context: within SessionHooks::serverName(), or before
  // the handshake goes on that waits for it. The context must outlive the connection.
  void use(ssl_st* ssl) const;

  ssl_ctx_st* handle() const { return handle_.get(); }
  Role role() const { return role_; }
  bool requestsCertificate() const { return requestCertificate_; }
  bool rejectsUnauthorized() const { return rejectUnauthorized_; }
  // What comes behind a handshake of TLS 1.3 may be encrypted without OpenSSL's record layer.
  bool ownRecords() const { return ownRecords_; }
  // SessionHooks::secretCame() is called for what `ssl` does now, or no longer.
  static void hearSecrets(ssl_st* ssl, bool on);
  TicketKeys* ticketKeys() const { return ticketKeys_.get(); }

 private:
  friend struct Callbacks;

  Context() = default;
  bool build(const OpenSsl& ssl, ContextOptions* options, ContextError* error);
  bool setChains(const OpenSsl& ssl, ContextError* error);
  bool setLists(const OpenSsl& ssl, const ContextOptions& options, ContextError* error);
  bool setTrust(const OpenSsl& ssl, const ContextOptions& options,
                const std::vector<OwnedCertificate>& authorities, ContextError* error);
  bool setSessions(const OpenSsl& ssl, const ContextOptions& options, ContextError* error);
  void setCallbacks(const OpenSsl& ssl, const ContextOptions& options);
  void makeSessionIdContext(const OpenSsl& ssl, const ContextOptions& options);
  OwnedSsl newSsl(const OpenSsl& ssl, SessionHooks* hooks) const;

  OwnedSslContext handle_;
  std::vector<Chain> chains_;
  ServerNames serverNames_;
  std::shared_ptr<TicketKeys> ticketKeys_;
  Bytes alpn_;
  Bytes sessionIdContext_;
  Role role_ = Role::kServer;
  int verifyMode_ = 0;
  VerifyCallback* verifyCallback_ = nullptr;
  int minVersion_ = 0;
  int maxVersion_ = 0;
  bool requestCertificate_ = false;
  bool rejectUnauthorized_ = true;
  bool keylog_ = false;
  bool ownRecords_ = true;
};

}  // namespace ringpoll::tls
