// Our declarations of OpenSSL against its own headers, where there are some.
#include "core/tls/openssl.h"

#include <cstring>
#include <type_traits>

#include "check.h"
#include "tls_fixture.h"

#if __has_include(<openssl/ssl.h>)
#define RINGPOLL_OPENSSL_HEADERS 1
// The names in the table are functions; in these headers a few are macros for others.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif

namespace {

namespace tls = ringpoll::tls;
using tls::OpenSsl;

#ifdef RINGPOLL_OPENSSL_HEADERS

#define SAME(name, result, arguments)                                       \
  static_assert(std::is_same_v<decltype(OpenSsl::name), decltype(&::name)>, \
                "declared otherwise by OpenSSL: " #name);
RINGPOLL_OPENSSL(SAME)
#undef SAME

static_assert(OpenSsl::kSetMode == SSL_CTRL_MODE);
static_assert(OpenSsl::kSetReadAhead == SSL_CTRL_SET_READ_AHEAD);
static_assert(OpenSsl::kSetSessionCacheSize == SSL_CTRL_SET_SESS_CACHE_SIZE);
static_assert(OpenSsl::kSetSessionCacheMode == SSL_CTRL_SET_SESS_CACHE_MODE);
static_assert(OpenSsl::kSetMaxCertificateList == SSL_CTRL_SET_MAX_CERT_LIST);
static_assert(OpenSsl::kSetMaxSendFragment == SSL_CTRL_SET_MAX_SEND_FRAGMENT);
static_assert(OpenSsl::kSetNameCallback == SSL_CTRL_SET_TLSEXT_SERVERNAME_CB);
static_assert(OpenSsl::kSetNameArgument == SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG);
static_assert(OpenSsl::kSetHostName == SSL_CTRL_SET_TLSEXT_HOSTNAME);
static_assert(OpenSsl::kSetStatusCallback == SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB);
static_assert(OpenSsl::kSetStatusArgument == SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG);
static_assert(OpenSsl::kSetStatusType == SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE);
static_assert(OpenSsl::kGetStatusResponse == SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP);
static_assert(OpenSsl::kSetStatusResponse == SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP);
static_assert(OpenSsl::kAddChainCertificate == SSL_CTRL_CHAIN_CERT);
static_assert(OpenSsl::kSetGroupsList == SSL_CTRL_SET_GROUPS_LIST);
static_assert(OpenSsl::kSetSignaturesList == SSL_CTRL_SET_SIGALGS_LIST);
static_assert(OpenSsl::kSetDhAuto == SSL_CTRL_SET_DH_AUTO);
static_assert(OpenSsl::kSetMinVersion == SSL_CTRL_SET_MIN_PROTO_VERSION);
static_assert(OpenSsl::kSetMaxVersion == SSL_CTRL_SET_MAX_PROTO_VERSION);
static_assert(OpenSsl::kGetMinVersion == SSL_CTRL_GET_MIN_PROTO_VERSION);
static_assert(OpenSsl::kGetMaxVersion == SSL_CTRL_GET_MAX_PROTO_VERSION);
static_assert(OpenSsl::kBioReset == BIO_CTRL_RESET && OpenSsl::kBioEof == BIO_CTRL_EOF);
static_assert(OpenSsl::kBioFlush == BIO_CTRL_FLUSH && OpenSsl::kBioPending == BIO_CTRL_PENDING);
static_assert(OpenSsl::kBioWritePending == BIO_CTRL_WPENDING);

static_assert(OpenSsl::kNoTicket == SSL_OP_NO_TICKET);
static_assert(OpenSsl::kNoCompression == SSL_OP_NO_COMPRESSION);
static_assert(OpenSsl::kServerPreference == SSL_OP_CIPHER_SERVER_PREFERENCE);
static_assert(OpenSsl::kNoRenegotiation == SSL_OP_NO_RENEGOTIATION);
static_assert(OpenSsl::kPartialWrite == SSL_MODE_ENABLE_PARTIAL_WRITE);
static_assert(OpenSsl::kMovingWriteBuffer == SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
static_assert(OpenSsl::kAutoRetry == SSL_MODE_AUTO_RETRY);
static_assert(OpenSsl::kNoAutoChain == SSL_MODE_NO_AUTO_CHAIN);
static_assert(OpenSsl::kReleaseBuffers == SSL_MODE_RELEASE_BUFFERS);
static_assert(OpenSsl::kCacheOff == SSL_SESS_CACHE_OFF);
static_assert(OpenSsl::kCacheClient == SSL_SESS_CACHE_CLIENT);
static_assert(OpenSsl::kCacheServer == SSL_SESS_CACHE_SERVER);
static_assert(OpenSsl::kCacheNoInternal == SSL_SESS_CACHE_NO_INTERNAL);
static_assert(OpenSsl::kVerifyPeer == SSL_VERIFY_PEER && OpenSsl::kVerifyNone == SSL_VERIFY_NONE);
static_assert(OpenSsl::kVerifyFailWithout == SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
static_assert(OpenSsl::kTls10 == TLS1_VERSION && OpenSsl::kTls11 == TLS1_1_VERSION);
static_assert(OpenSsl::kTls12 == TLS1_2_VERSION && OpenSsl::kTls13 == TLS1_3_VERSION);

static_assert(OpenSsl::kErrorSsl == SSL_ERROR_SSL && OpenSsl::kErrorNone == SSL_ERROR_NONE);
static_assert(OpenSsl::kErrorWantRead == SSL_ERROR_WANT_READ);
static_assert(OpenSsl::kErrorWantWrite == SSL_ERROR_WANT_WRITE);
static_assert(OpenSsl::kErrorSyscall == SSL_ERROR_SYSCALL);
static_assert(OpenSsl::kErrorZeroReturn == SSL_ERROR_ZERO_RETURN);
static_assert(OpenSsl::kErrorWantHello == SSL_ERROR_WANT_CLIENT_HELLO_CB);
static_assert(OpenSsl::kExtensionOk == SSL_TLSEXT_ERR_OK);
static_assert(OpenSsl::kExtensionFatal == SSL_TLSEXT_ERR_ALERT_FATAL);
static_assert(OpenSsl::kExtensionNone == SSL_TLSEXT_ERR_NOACK);
static_assert(OpenSsl::kHelloOk == SSL_CLIENT_HELLO_SUCCESS);
static_assert(OpenSsl::kHelloError == SSL_CLIENT_HELLO_ERROR);
static_assert(OpenSsl::kHelloRetry == SSL_CLIENT_HELLO_RETRY);
static_assert(OpenSsl::kSentShutdown == SSL_SENT_SHUTDOWN);
static_assert(OpenSsl::kReceivedShutdown == SSL_RECEIVED_SHUTDOWN);
static_assert(OpenSsl::kExtensionServerName == TLSEXT_TYPE_server_name);
static_assert(OpenSsl::kHostName == TLSEXT_NAMETYPE_host_name);
static_assert(OpenSsl::kStatusOcsp == TLSEXT_STATUSTYPE_ocsp);
static_assert(OpenSsl::kAlertUnrecognizedName == SSL_AD_UNRECOGNIZED_NAME);
static_assert(OpenSsl::kAlertInternalError == SSL_AD_INTERNAL_ERROR);

static_assert(OpenSsl::kCheckCrl == X509_V_FLAG_CRL_CHECK);
static_assert(OpenSsl::kCheckAllCrls == X509_V_FLAG_CRL_CHECK_ALL);
static_assert(OpenSsl::kNoPartialWildcards == X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
static_assert(OpenSsl::kVerified == X509_V_OK);
static_assert(OpenSsl::kHostnameMismatch == X509_V_ERR_HOSTNAME_MISMATCH);
static_assert(OpenSsl::kAddressMismatch == X509_V_ERR_IP_ADDRESS_MISMATCH);
static_assert(OpenSsl::kBioTypeSource == BIO_TYPE_SOURCE_SINK);
static_assert(OpenSsl::kBioShouldRead == BIO_FLAGS_READ);
static_assert(OpenSsl::kBioShouldWrite == BIO_FLAGS_WRITE);
static_assert(OpenSsl::kBioShouldRetry == BIO_FLAGS_SHOULD_RETRY);
static_assert(OpenSsl::kAeadSetIvLength == EVP_CTRL_AEAD_SET_IVLEN);
static_assert(OpenSsl::kAeadGetTag == EVP_CTRL_AEAD_GET_TAG);
static_assert(OpenSsl::kAeadSetTag == EVP_CTRL_AEAD_SET_TAG);

static_assert(sizeof(tls::Parameter) == sizeof(OSSL_PARAM));
static_assert(offsetof(tls::Parameter, data) == offsetof(OSSL_PARAM, data));
static_assert(offsetof(tls::Parameter, bytes) == offsetof(OSSL_PARAM, data_size));
static_assert(offsetof(tls::Parameter, returned) == offsetof(OSSL_PARAM, return_size));

#endif

// A lookup that finds everything of the system's library but one name.
const char* hidden = "";
const char* added = "";

void* lookupWithout(const char* name) {
  static int anything = 0;
  if (std::strcmp(name, hidden) == 0) return nullptr;
  if (std::strcmp(name, added) == 0) return &anything;
  return test::systemSymbol(name);
}

std::string refusal(const char* without, const char* with) {
  hidden = without;
  added = with;
  OpenSsl table;
  std::string why;
  const bool usable = tls::resolveOpenSsl(lookupWithout, &table, &why);
  return usable ? "usable" : why;
}

}  // namespace

TEST(tls_finds_every_function_in_the_process) {
  NEED_OPENSSL();
  CHECK_EQ(refusal("", ""), "usable");
  std::string why;
  CHECK(tls::openSsl(&why) != nullptr);
  CHECK_EQ(why, "");
}

TEST(tls_names_a_function_that_is_missing) {
  NEED_OPENSSL();
  CHECK_EQ(refusal("SSL_read_ex", ""), "this process does not export SSL_read_ex");
  CHECK_EQ(refusal("EVP_MAC_final", ""), "this process does not export EVP_MAC_final");
}

TEST(tls_refuses_relatives_of_openssl_by_name) {
  NEED_OPENSSL();
  CHECK(refusal("", "BORINGSSL_self_test").find("BoringSSL") != std::string::npos);
  CHECK(refusal("", "SSL_CTX_set_early_data_enabled").find("BoringSSL") != std::string::npos);
  CHECK(refusal("", "tls_config_new").find("LibreSSL") != std::string::npos);
}

TEST(tls_takes_errors_apart_as_openssl_puts_them_together) {
  CHECK_EQ(OpenSsl::libraryOf(20ul << 23 | 193), 20);
  CHECK_EQ(OpenSsl::reasonOf(20ul << 23 | 193), 193);
  CHECK_EQ(OpenSsl::libraryOf(0x80000000ul | 104), 2);
  CHECK_EQ(OpenSsl::reasonOf(0x80000000ul | 104), 104);
}
