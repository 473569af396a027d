// The OpenSSL that is in the process: Node exports its own, and the core's tests load the system's.
#pragma once

#include <string>

#include "openssl_functions.h"

namespace ringpoll::tls {

struct OpenSsl {
// A declaration takes no parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses)
#define RINGPOLL_MEMBER(name, result, arguments) result(*name) arguments = nullptr;
  RINGPOLL_OPENSSL(RINGPOLL_MEMBER)
#undef RINGPOLL_MEMBER

  // What OpenSSL's headers define as macros over SSL_CTX_ctrl, SSL_ctrl and BIO_ctrl.
  static constexpr int kSetMode = 33;
  static constexpr int kSetReadAhead = 41;
  static constexpr int kSetSessionCacheSize = 42;
  static constexpr int kSetSessionCacheMode = 44;
  static constexpr int kSetMaxCertificateList = 51;
  static constexpr int kSetMaxSendFragment = 52;
  static constexpr int kSetNameCallback = 53;
  static constexpr int kSetNameArgument = 54;
  static constexpr int kSetHostName = 55;
  static constexpr int kSetStatusCallback = 63;
  static constexpr int kSetStatusArgument = 64;
  static constexpr int kSetStatusType = 65;
  static constexpr int kGetStatusResponse = 70;
  static constexpr int kSetStatusResponse = 71;
  static constexpr int kAddChainCertificate = 89;  // with 1: takes a reference of its own
  static constexpr int kSetGroupsList = 92;
  static constexpr int kSetSignaturesList = 98;
  static constexpr int kSetDhAuto = 118;
  static constexpr int kSetMinVersion = 123;
  static constexpr int kSetMaxVersion = 124;
  static constexpr int kGetMinVersion = 130;
  static constexpr int kGetMaxVersion = 131;
  static constexpr int kBioReset = 1;
  static constexpr int kBioEof = 2;
  static constexpr int kBioFlush = 11;
  static constexpr int kBioPending = 10;
  static constexpr int kBioWritePending = 13;

  static constexpr uint64_t kNoTicket = 1u << 14;
  static constexpr uint64_t kNoCompression = 1u << 17;
  static constexpr uint64_t kServerPreference = 1u << 22;
  static constexpr uint64_t kNoRenegotiation = 1u << 30;

  static constexpr long kPartialWrite = 0x1;
  static constexpr long kMovingWriteBuffer = 0x2;
  static constexpr long kAutoRetry = 0x4;
  static constexpr long kNoAutoChain = 0x8;
  static constexpr long kReleaseBuffers = 0x10;

  static constexpr long kCacheOff = 0x0;
  static constexpr long kCacheClient = 0x1;
  static constexpr long kCacheServer = 0x2;
  static constexpr long kCacheNoInternal = 0x300;

  static constexpr int kVerifyNone = 0;
  static constexpr int kVerifyPeer = 1;
  static constexpr int kVerifyFailWithout = 2;

  static constexpr int kTls10 = 0x301;
  static constexpr int kTls11 = 0x302;
  static constexpr int kTls12 = 0x303;
  static constexpr int kTls13 = 0x304;

  // What SSL_get_error() answers.
  static constexpr int kErrorNone = 0;
  static constexpr int kErrorSsl = 1;
  static constexpr int kErrorWantRead = 2;
  static constexpr int kErrorWantWrite = 3;
  static constexpr int kErrorSyscall = 5;
  static constexpr int kErrorZeroReturn = 6;
  static constexpr int kErrorWantHello = 11;

  // What callbacks answer: for names, ALPN and staples, and for the ClientHello.
  static constexpr int kExtensionOk = 0;
  static constexpr int kExtensionFatal = 2;
  static constexpr int kExtensionNone = 3;
  static constexpr int kHelloOk = 1;
  static constexpr int kHelloError = 0;
  static constexpr int kHelloRetry = -1;

  static constexpr int kRecordHeader = 256;  // what is told of messages: not a type of records

  static constexpr int kSentShutdown = 1;
  static constexpr int kReceivedShutdown = 2;

  static constexpr unsigned kExtensionServerName = 0;
  static constexpr int kHostName = 0;
  static constexpr long kStatusOcsp = 1;
  static constexpr int kAlertUnrecognizedName = 112;
  static constexpr int kAlertInternalError = 80;

  static constexpr unsigned long kCheckCrl = 0x4;
  static constexpr unsigned long kCheckAllCrls = 0x8;
  static constexpr unsigned kNoPartialWildcards = 0x4;
  static constexpr long kVerified = 0;
  static constexpr long kHostnameMismatch = 62;
  static constexpr long kAddressMismatch = 64;

  static constexpr int kBioTypeSource = 0x400;
  static constexpr int kBioShouldRead = 0x1;
  static constexpr int kBioShouldWrite = 0x2;
  static constexpr int kBioShouldRetry = 0x8;

  static constexpr int kAeadSetIvLength = 0x9;
  static constexpr int kAeadGetTag = 0x10;
  static constexpr int kAeadSetTag = 0x11;

  // Parts of an error code, as ERR_get_error() gives it.
  static constexpr int libraryOf(unsigned long error) {
    return (error & 0x80000000u) != 0 ? 2 : static_cast<int>(error >> 23 & 0xff);
  }
  static constexpr int reasonOf(unsigned long error) {
    return static_cast<int>((error & 0x80000000u) != 0 ? error & 0x7fffffffu : error & 0x7fffff);
  }

  // The words for the last error of this thread, without data of it; the queue is empty then.
  std::string takeReason() const;
};

// OpenSSL's OSSL_PARAM; a list of them ends with one without a key.
struct Parameter {
  const char* key = nullptr;
  unsigned type = 0;
  void* data = nullptr;
  size_t bytes = 0;
  size_t returned = SIZE_MAX;

  static Parameter text(const char* key, const char* value);
  static Parameter octets(const char* key, const void* value, size_t bytes);
};

inline const ossl_param_st* asParameters(const Parameter* list) {
  return reinterpret_cast<const ossl_param_st*>(list);
}

using Lookup = void* (*)(const char* name);

// Fills `table`. False: it cannot be used, and `why` says so in words that follow "because".
bool resolveOpenSsl(Lookup lookup, OpenSsl* table, std::string* why);

// Looked up once for the process. nullptr: it cannot be used, and `why` says so.
const OpenSsl* openSsl(std::string* why = nullptr);

}  // namespace ringpoll::tls
