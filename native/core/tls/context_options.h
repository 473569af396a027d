// What a Context is made of. Names and types were checked by the caller; what bytes and lists of
// names hold is found out by OpenSSL, and told as a ContextError.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "secret.h"

namespace ringpoll::tls {

class Context;
class Roots;
class TicketKeys;

// More of these is a mistake, or an attempt to use memory up.
inline constexpr size_t kChainsMax = 8;                 // chains, each with a key of its own
inline constexpr size_t kChainLengthMax = 16;           // certificates of one chain
inline constexpr size_t kCredentialBytesMax = 1 << 20;  // of one certificate, key, list or staple
inline constexpr size_t kPassphraseBytesMax = 1024;
inline constexpr size_t kServerNamesMax = 65536;       // names in one map
inline constexpr size_t kSessionsMax = 1024;           // sessions of TLS 1.2 in a server's memory
inline constexpr long kPeerChainBytesMax = 64 * 1024;  // certificates that a peer sends

// PEM or DER.
using Bytes = std::vector<uint8_t>;

struct KeyOption {
  Secret bytes;
  Secret passphrase;
};

// PKCS #12: a key with its chain.
struct PfxOption {
  Secret bytes;
  Secret passphrase;
};

enum class Role : uint8_t { kServer, kClient };

struct ContextOptions {
  std::vector<Bytes> certificates;  // a chain each, its own certificate first
  std::vector<KeyOption> keys;      // in any order
  std::vector<PfxOption> pfx;
  std::vector<Bytes> staples;  // an OCSP response in DER for each chain, or an empty one

  std::vector<Bytes> authorities;
  std::vector<Bytes> crls;
  std::shared_ptr<const Roots> roots;  // null: nobody is trusted but `authorities`

  std::string ciphers;       // TLS 1.2 and before; empty: OpenSSL's own
  std::string ciphersuites;  // TLS 1.3; empty: OpenSSL's own
  std::string curves;        // empty: OpenSSL's own
  std::string signatures;    // the same

  // Names with a byte of their length before each; a server's in the order that it prefers.
  Bytes alpn;

  Bytes sessionIdContext;  // empty: made of what decides whom the server is and whom it trusts
  std::shared_ptr<TicketKeys> ticketKeys;  // null: those of the process

  // A name in lower case, exact or with `*.` for one label, and what serves it.
  std::vector<std::pair<std::string, std::shared_ptr<const Context>>> serverNames;

  uint32_t sessionSeconds = 300;
  int minVersion = OpenSsl::kTls12;
  int maxVersion = OpenSsl::kTls13;
  Role role = Role::kServer;
  bool ownAuthorities = false;  // `authorities` replace the roots
  bool serverPreference = true;
  bool requestCertificate = false;  // of clients
  bool rejectUnauthorized = true;
  bool tickets = true;
  bool ownRecords = true;  // of servers; see Session::takeOver()
  bool keylog = false;     // SessionHooks::keylog() gets the secrets
};

enum class ContextFailure : uint8_t {
  kNone,
  kUnavailable,
  kMemory,
  kCertificate,         // cannot be read
  kCertificateMissing,  // for key number `index`
  kCertificateRefused,  // too weak for OpenSSL's security level
  kChainTwice,          // another chain has a key of the same kind
  kChainTooLong,
  kKey,                // cannot be read
  kKeyMissing,         // for certificate number `index`
  kKeyMismatch,        // key number `index` belongs to no certificate
  kPassphraseMissing,  // of key or pfx number `index`
  kPassphraseWrong,
  kPfx,
  kPfxPassphrase,
  kAuthority,
  kCrl,
  kCiphers,
  kCiphersuites,
  kCurves,
  kSignatures,
  kVersions,
  kAlpn,
  kStaple,
};

struct ContextError {
  ContextFailure failure = ContextFailure::kNone;
  uint32_t index = 0;
  std::string reason;  // OpenSSL's words; nothing of what was given
};

}  // namespace ringpoll::tls
