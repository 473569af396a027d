#include "context.h"

#include "context_callbacks.h"
#include "trust.h"

namespace ringpoll::tls {

namespace {

constexpr size_t kSessionIdContextMax = 32;

bool fail(const OpenSsl& ssl, ContextError* error, ContextFailure failure, size_t index = 0) {
  *error = {failure, static_cast<uint32_t>(index), ssl.takeReason()};
  return false;
}

// Each has a length before it, and none is empty; OpenSSL's own check comes when it is too late.
bool isAlpn(const Bytes& wire) {
  size_t at = 0;
  while (at < wire.size()) {
    if (wire[at] == 0) return false;
    at += 1 + static_cast<size_t>(wire[at]);
  }
  return at == wire.size() && wire.size() <= UINT16_MAX;
}

bool readAuthorities(const OpenSsl& ssl, const ContextOptions& options,
                     std::vector<OwnedCertificate>* all, ContextError* error) {
  for (size_t i = 0; i < options.authorities.size(); ++i) {
    const Bytes& bytes = options.authorities[i];
    std::vector<OwnedCertificate> some = readCertificates(ssl, bytes.data(), bytes.size());
    if (some.empty()) return fail(ssl, error, ContextFailure::kAuthority, i);
    for (OwnedCertificate& each : some) all->push_back(std::move(each));
  }
  return true;
}

}  // namespace

Context::~Context() = default;

std::shared_ptr<const Context> Context::make(ContextOptions options, ContextError* error) {
  std::string why;
  const OpenSsl* ssl = openSsl(&why);
  if (ssl == nullptr) {
    *error = {ContextFailure::kUnavailable, 0, why};
    return nullptr;
  }
  // Node uses the same queue of errors.
  ssl->ERR_clear_error();
  const std::shared_ptr<Context> context(new Context);
  const bool built = context->build(*ssl, &options, error);
  ssl->ERR_clear_error();
  return built ? context : nullptr;
}

bool Context::build(const OpenSsl& ssl, ContextOptions* options, ContextError* error) {
  role_ = options->role;
  requestCertificate_ = options->requestCertificate;
  rejectUnauthorized_ = options->rejectUnauthorized;
  minVersion_ = options->minVersion;
  maxVersion_ = options->maxVersion;
  handle_.reset(ssl.SSL_CTX_new(ssl.TLS_method()));
  if (handle_ == nullptr) return fail(ssl, error, ContextFailure::kMemory);
  std::vector<OwnedCertificate> authorities;
  std::vector<OwnedCertificate> ofPfx;
  if (!readAuthorities(ssl, *options, &authorities, error)) return false;
  if (!readChains(ssl, *options, &chains_, &ofPfx, error)) return false;
  if (chains_.size() > kChainsMax) return fail(ssl, error, ContextFailure::kChainTwice, kChainsMax);
  for (Chain& chain : chains_) complete(ssl, &chain, authorities);
  for (OwnedCertificate& each : ofPfx) authorities.push_back(std::move(each));
  if (!setLists(ssl, *options, error) || !setChains(ssl, error) ||
      !setTrust(ssl, *options, authorities, error) || !setSessions(ssl, *options, error)) {
    return false;
  }
  for (auto& [name, context] : options->serverNames) serverNames_.add(name, std::move(context));
  setCallbacks(ssl, *options);
  return true;
}

bool Context::setChains(const OpenSsl& ssl, ContextError* error) {
  ssl_ctx_st* ctx = handle_.get();
  std::vector<int> kinds;
  for (size_t i = 0; i < chains_.size(); ++i) {
    Chain& chain = chains_[i];
    // OpenSSL has a place for one key of each kind, and would forget the first.
    const int kind = ssl.EVP_PKEY_get_base_id(chain.key.get());
    for (int other : kinds) {
      if (other == kind) return fail(ssl, error, ContextFailure::kChainTwice, i);
    }
    kinds.push_back(kind);
    bool set = ssl.SSL_CTX_use_certificate(ctx, chain.certificate.get()) == 1 &&
               ssl.SSL_CTX_use_PrivateKey(ctx, chain.key.get()) == 1;
    for (const OwnedCertificate& each : chain.rest) {
      set = set && ssl.SSL_CTX_ctrl(ctx, OpenSsl::kAddChainCertificate, 1, each.get()) == 1;
    }
    if (!set) return fail(ssl, error, ContextFailure::kCertificateRefused, i);
    // The context has it now.
    chain.key.reset();
  }
  return true;
}

bool Context::setLists(const OpenSsl& ssl, const ContextOptions& options, ContextError* error) {
  ssl_ctx_st* ctx = handle_.get();
  const auto control = [&](int command, const std::string& list) {
    return list.empty() || ssl.SSL_CTX_ctrl(ctx, command, 0, const_cast<char*>(list.c_str())) == 1;
  };
  const bool versions = minVersion_ <= maxVersion_ &&
                        ssl.SSL_CTX_ctrl(ctx, OpenSsl::kSetMinVersion, minVersion_, nullptr) == 1 &&
                        ssl.SSL_CTX_ctrl(ctx, OpenSsl::kSetMaxVersion, maxVersion_, nullptr) == 1;
  if (!versions) return fail(ssl, error, ContextFailure::kVersions);
  // Ciphers first: they hold the security level, by which certificates are judged.
  if (!options.ciphers.empty() && ssl.SSL_CTX_set_cipher_list(ctx, options.ciphers.c_str()) != 1) {
    return fail(ssl, error, ContextFailure::kCiphers);
  }
  if (!options.ciphersuites.empty() &&
      ssl.SSL_CTX_set_ciphersuites(ctx, options.ciphersuites.c_str()) != 1) {
    return fail(ssl, error, ContextFailure::kCiphersuites);
  }
  if (!control(OpenSsl::kSetGroupsList, options.curves)) {
    return fail(ssl, error, ContextFailure::kCurves);
  }
  if (!control(OpenSsl::kSetSignaturesList, options.signatures)) {
    return fail(ssl, error, ContextFailure::kSignatures);
  }
  uint64_t flags = OpenSsl::kNoCompression | OpenSsl::kNoRenegotiation;
  if (options.serverPreference) flags |= OpenSsl::kServerPreference;
  if (!options.tickets) flags |= OpenSsl::kNoTicket;
  ssl.SSL_CTX_set_options(ctx, flags);
  ssl.SSL_CTX_ctrl(ctx, OpenSsl::kSetMode,
                   OpenSsl::kReleaseBuffers | OpenSsl::kNoAutoChain | OpenSsl::kPartialWrite |
                       OpenSsl::kMovingWriteBuffer,
                   nullptr);
  if (!isAlpn(options.alpn)) return fail(ssl, error, ContextFailure::kAlpn);
  alpn_ = options.alpn;
  // 0 is success here.
  if (role_ == Role::kClient && !alpn_.empty() &&
      ssl.SSL_CTX_set_alpn_protos(ctx, alpn_.data(), static_cast<unsigned>(alpn_.size())) != 0) {
    return fail(ssl, error, ContextFailure::kAlpn);
  }
  return true;
}

bool Context::setTrust(const OpenSsl& ssl, const ContextOptions& options,
                       const std::vector<OwnedCertificate>& authorities, ContextError* error) {
  OwnedStore store = makeStore(ssl, options, authorities, error);
  if (store == nullptr) return false;
  // The context takes this reference over.
  ssl.SSL_CTX_set_cert_store(handle_.get(), store.release());
  ssl.SSL_CTX_ctrl(handle_.get(), OpenSsl::kSetMaxCertificateList, kPeerChainBytesMax, nullptr);
  const bool verifies = role_ == Role::kClient || requestCertificate_;
  verifyMode_ = verifies ? OpenSsl::kVerifyPeer : OpenSsl::kVerifyNone;
  if (verifies && rejectUnauthorized_) verifyMode_ |= OpenSsl::kVerifyFailWithout;
  // Otherwise the connection is told of the result, and decides.
  verifyCallback_ = rejectUnauthorized_ ? nullptr : Callbacks::acceptAnyway;
  ssl.SSL_CTX_set_verify(handle_.get(), verifyMode_, verifyCallback_);
  if (role_ == Role::kClient || !requestCertificate_) return true;
  // The names that a client is told, so that it finds a certificate of its own.
  for (const OwnedCertificate& each : authorities) {
    if (ssl.SSL_CTX_add_client_CA(handle_.get(), each.get()) != 1) {
      return fail(ssl, error, ContextFailure::kMemory);
    }
  }
  return true;
}

bool Context::setSessions(const OpenSsl& ssl, const ContextOptions& options, ContextError* error) {
  ssl_ctx_st* ctx = handle_.get();
  ssl.SSL_CTX_set_timeout(ctx, options.sessionSeconds);
  ssl.SSL_CTX_set_max_early_data(ctx, 0);
  ssl.SSL_CTX_set_recv_max_early_data(ctx, 0);
  if (role_ == Role::kClient) {
    ssl.SSL_CTX_ctrl(ctx, OpenSsl::kSetSessionCacheMode,
                     OpenSsl::kCacheClient | OpenSsl::kCacheNoInternal, nullptr);
    ssl.SSL_CTX_sess_set_new_cb(ctx, Callbacks::sessionCame);
    return true;
  }
  ssl.SSL_CTX_ctrl(ctx, OpenSsl::kSetSessionCacheMode, OpenSsl::kCacheServer, nullptr);
  ssl.SSL_CTX_ctrl(ctx, OpenSsl::kSetSessionCacheSize, kSessionsMax, nullptr);
  // A second ticket costs as much as a quarter of the handshake, and clients take one.
  ssl.SSL_CTX_set_num_tickets(ctx, options.tickets ? 1 : 0);
  makeSessionIdContext(ssl, options);
  if (ssl.SSL_CTX_set_session_id_context(ctx, sessionIdContext_.data(),
                                         static_cast<unsigned>(sessionIdContext_.size())) != 1) {
    return fail(ssl, error, ContextFailure::kMemory);
  }
  ticketKeys_ = options.ticketKeys != nullptr ? options.ticketKeys : TicketKeys::ofProcess();
  if (ticketKeys_ == nullptr) return fail(ssl, error, ContextFailure::kMemory);
  ssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, Callbacks::ticketKey);
  return true;
}

// A session may be resumed where the same certificates are served, and the same clients let in:
// with keys for tickets that are shared, nothing else keeps two servers apart.
void Context::makeSessionIdContext(const OpenSsl& ssl, const ContextOptions& options) {
  sessionIdContext_ = options.sessionIdContext;
  Bytes all = options.sessionIdContext;
  const auto add = [&all](const Bytes& bytes) {
    for (size_t shift = 0; shift < 32; shift += 8) {
      all.push_back(static_cast<uint8_t>(bytes.size() >> shift));
    }
    all.insert(all.end(), bytes.begin(), bytes.end());
  };
  if (!all.empty() && all.size() <= kSessionIdContextMax) return;
  all.push_back(
      static_cast<uint8_t>((requestCertificate_ ? 1 : 0) | (rejectUnauthorized_ ? 2 : 0)));
  for (const Chain& chain : chains_) {
    Bytes digest(kSessionIdContextMax);
    ssl.X509_digest(chain.certificate.get(), ssl.EVP_sha256(), digest.data(), nullptr);
    add(digest);
  }
  if (requestCertificate_) {
    for (const Bytes& bytes : options.authorities) add(bytes);
    for (const Bytes& bytes : options.crls) add(bytes);
  }
  sessionIdContext_.assign(kSessionIdContextMax, 0);
  ssl.EVP_Digest(all.data(), all.size(), sessionIdContext_.data(), nullptr, ssl.EVP_sha256(),
                 nullptr);
}

void Context::setCallbacks(const OpenSsl& ssl, const ContextOptions& options) {
  ssl_ctx_st* ctx = handle_.get();
  ssl.SSL_CTX_set_ex_data(ctx, Callbacks::kIndex, this);
  keylog_ = options.keylog;
  ownRecords_ = options.ownRecords;
  if (keylog_) ssl.SSL_CTX_set_keylog_callback(ctx, Callbacks::keylog);
  if (role_ == Role::kClient) return;
  ssl.SSL_CTX_set_client_hello_cb(ctx, Callbacks::clientHello, nullptr);
  using Plain = void (*)();
  ssl.SSL_CTX_callback_ctrl(ctx, OpenSsl::kSetNameCallback,
                            reinterpret_cast<Plain>(Callbacks::nameIsKnown));
  if (!alpn_.empty()) ssl.SSL_CTX_set_alpn_select_cb(ctx, Callbacks::selectAlpn, nullptr);
  for (const Chain& chain : chains_) {
    if (chain.staple.empty()) continue;
    ssl.SSL_CTX_callback_ctrl(ctx, OpenSsl::kSetStatusCallback,
                              reinterpret_cast<Plain>(Callbacks::staple));
    break;
  }
}

void Context::hearSecrets(ssl_st* connection, bool on) {
  const OpenSsl& ssl = *openSsl();
  ssl_ctx_st* ctx = ssl.SSL_get_SSL_CTX(connection);
  if (Callbacks::contextOf(ssl, connection).keylog_) return;  // it is told always
  ssl.SSL_CTX_set_keylog_callback(ctx, on ? Callbacks::keylog : nullptr);
}

OwnedSsl Context::newSsl(const OpenSsl& ssl, SessionHooks* hooks) const {
  OwnedSsl made(ssl.SSL_new(handle_.get()));
  if (made != nullptr && ssl.SSL_set_ex_data(made.get(), Callbacks::kIndex, hooks) != 1) {
    made.reset();
  }
  return made;
}

OwnedSsl Context::newServer(SessionHooks* hooks) const {
  const OpenSsl& ssl = *openSsl();
  OwnedSsl made = newSsl(ssl, hooks);
  if (made != nullptr) ssl.SSL_set_accept_state(made.get());
  return made;
}

OwnedSsl Context::newClient(SessionHooks* hooks, const std::string& serverName,
                            const std::string& verifyName) const {
  const OpenSsl& ssl = *openSsl();
  OwnedSsl made = newSsl(ssl, hooks);
  if (made == nullptr) return made;
  ssl.SSL_set_connect_state(made.get());
  bool done = true;
  if (!serverName.empty()) {
    done = ssl.SSL_ctrl(made.get(), OpenSsl::kSetHostName, OpenSsl::kHostName,
                        const_cast<char*>(serverName.c_str())) == 1;
  }
  if (done && !verifyName.empty()) {
    X509_VERIFY_PARAM_st* parameters = ssl.SSL_get0_param(made.get());
    ssl.X509_VERIFY_PARAM_set_hostflags(parameters, OpenSsl::kNoPartialWildcards);
    // A name is none of an address, which fails there and leaves the parameters as they are.
    done = ssl.X509_VERIFY_PARAM_set1_ip_asc(parameters, verifyName.c_str()) == 1 ||
           ssl.X509_VERIFY_PARAM_set1_host(parameters, verifyName.data(), verifyName.size()) == 1;
  }
  ssl.ERR_clear_error();
  if (!done) made.reset();
  return made;
}

// SSL_set_SSL_CTX() takes certificates and callbacks over. The rest is the connection's own.
void Context::use(ssl_st* connection) const {
  const OpenSsl& ssl = *openSsl();
  ssl.SSL_set_SSL_CTX(connection, handle_.get());
  ssl.SSL_set_verify(connection, verifyMode_, verifyCallback_);
  ssl.SSL_set_session_id_context(connection, sessionIdContext_.data(),
                                 static_cast<unsigned>(sessionIdContext_.size()));
  ssl.SSL_ctrl(connection, OpenSsl::kSetMinVersion, minVersion_, nullptr);
  ssl.SSL_ctrl(connection, OpenSsl::kSetMaxVersion, maxVersion_, nullptr);
  const uint64_t flags = ssl.SSL_CTX_get_options(handle_.get());
  constexpr uint64_t kOwn = OpenSsl::kServerPreference | OpenSsl::kNoTicket;
  ssl.SSL_clear_options(connection, kOwn & ~flags);
  ssl.SSL_set_options(connection, kOwn & flags);
}

}  // namespace ringpoll::tls
