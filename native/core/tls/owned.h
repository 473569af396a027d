// Objects of OpenSSL that are freed by their last owner. Each holds one reference.
#pragma once

#include <memory>

#include "openssl.h"

namespace ringpoll::tls {

// Names and types take no parentheses. NOLINTBEGIN(bugprone-macro-parentheses)
#define RINGPOLL_OWNED(Name, type, release)                             \
  struct Name##Release {                                                \
    void operator()(type* object) const { openSsl()->release(object); } \
  };                                                                    \
  using Name = std::unique_ptr<type, Name##Release>;
// NOLINTEND(bugprone-macro-parentheses)

RINGPOLL_OWNED(OwnedBio, bio_st, BIO_free)
RINGPOLL_OWNED(OwnedCertificate, x509_st, X509_free)
RINGPOLL_OWNED(OwnedCrl, X509_crl_st, X509_CRL_free)
RINGPOLL_OWNED(OwnedKey, evp_pkey_st, EVP_PKEY_free)
RINGPOLL_OWNED(OwnedPfx, PKCS12_st, PKCS12_free)
RINGPOLL_OWNED(OwnedStore, x509_store_st, X509_STORE_free)
RINGPOLL_OWNED(OwnedSslContext, ssl_ctx_st, SSL_CTX_free)
RINGPOLL_OWNED(OwnedSsl, ssl_st, SSL_free)
RINGPOLL_OWNED(OwnedSession, ssl_session_st, SSL_SESSION_free)

#undef RINGPOLL_OWNED

}  // namespace ringpoll::tls
