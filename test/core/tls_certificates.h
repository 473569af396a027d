// Certificates, keys and lists of revoked certificates for tests, made by the system's OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace test {

enum class KeyKind { kRsa, kEc, kEd25519 };

// What to make; times are seconds from now.
struct CertificateWish {
  KeyKind kind = KeyKind::kEc;
  std::string commonName = "localhost";
  std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName; empty: without
  bool authority = false;
  long notBefore = -3600;
  long notAfter = 3600;
  long serial = 1;
};

// A certificate with its key, issued by another one or by itself.
class Certificate {
 public:
  explicit Certificate(const CertificateWish& wish, const Certificate* issuer = nullptr);
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::string pem() const;
  std::string der() const;
  // PKCS #8; encrypted unless the passphrase is empty.
  std::string keyPem(const std::string& passphrase = "") const;
  std::string keyDer(const std::string& passphrase = "") const;
  std::string pfx(const std::string& passphrase, const Certificate* issuer = nullptr) const;
  // A list of what this authority has revoked.
  std::string crlPem(const std::vector<long>& serials) const;

 private:
  evp_pkey_st* key_ = nullptr;
  x509_st* certificate_ = nullptr;
};

}  // namespace test
