#include "tls_certificates.h"

#include "tls_fixture.h"

namespace test {

namespace {

using Object = void*;

// A function of OpenSSL that only tests need, by its name.
template <typename Result, typename... Arguments>
Result call(const char* name, Arguments... arguments) {
  using Function = Result (*)(Arguments...);
  return reinterpret_cast<Function>(systemSymbol(name))(arguments...);
}

constexpr int kSubjectAltName = 85;
constexpr int kBasicConstraints = 87;
constexpr int kUtf8 = 0x1000;
constexpr int kVersion3 = 2;

evp_pkey_st* makeKey(KeyKind kind) {
  using Generate = evp_pkey_st* (*)(Object, Object, const char*, ...);
  const auto generate = reinterpret_cast<Generate>(systemSymbol("EVP_PKEY_Q_keygen"));
  switch (kind) {
    case KeyKind::kRsa:
      return generate(nullptr, nullptr, "RSA", static_cast<size_t>(2048));
    case KeyKind::kEc:
      return generate(nullptr, nullptr, "EC", "P-256");
    case KeyKind::kEd25519:
      return generate(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

void addExtension(x509_st* certificate, int nid, const char* value) {
  Object extension =
      call<Object>("X509V3_EXT_conf_nid", Object{nullptr}, Object{nullptr}, nid, value);
  call<int>("X509_add_ext", certificate, extension, -1);
  call<void>("X509_EXTENSION_free", extension);
}

// What a function writes into a BIO.
template <typename Write>
std::string written(Write write) {
  const ringpoll::tls::OpenSsl& ssl = *ringpoll::tls::openSsl();
  bio_st* bio = ssl.BIO_new(ssl.BIO_s_mem());
  write(bio);
  std::string all(static_cast<size_t>(ssl.BIO_ctrl(bio, ssl.kBioPending, 0, nullptr)), '\0');
  ssl.BIO_read(bio, all.data(), static_cast<int>(all.size()));
  ssl.BIO_free(bio);
  return all;
}

// Ed25519 hashes by itself.
Object digestFor(const evp_pkey_st* key) {
  constexpr int kEd25519 = 1087;
  const bool hashes = ringpoll::tls::openSsl()->EVP_PKEY_get_base_id(key) == kEd25519;
  return hashes ? nullptr : call<Object>("EVP_sha256");
}

}  // namespace

Certificate::Certificate(const CertificateWish& wish, const Certificate* issuer)
    : key_(makeKey(wish.kind)), certificate_(call<x509_st*>("X509_new")) {
  call<int>("X509_set_version", certificate_, static_cast<long>(kVersion3));
  call<int>("ASN1_INTEGER_set", call<Object>("X509_get_serialNumber", certificate_), wish.serial);
  call<Object>("X509_gmtime_adj", call<Object>("X509_getm_notBefore", certificate_),
               wish.notBefore);
  call<Object>("X509_gmtime_adj", call<Object>("X509_getm_notAfter", certificate_), wish.notAfter);
  call<int>("X509_set_pubkey", certificate_, key_);
  Object name = call<Object>("X509_get_subject_name", certificate_);
  call<int>("X509_NAME_add_entry_by_txt", name, "CN", kUtf8, wish.commonName.c_str(), -1, -1, 0);
  const Certificate& signer = issuer == nullptr ? *this : *issuer;
  call<int>("X509_set_issuer_name", certificate_,
            call<Object>("X509_get_subject_name", signer.certificate_));
  addExtension(certificate_, kBasicConstraints,
               wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wish.names.empty()) addExtension(certificate_, kSubjectAltName, wish.names.c_str());
  call<int>("X509_sign", certificate_, signer.key_, digestFor(signer.key_));
}

Certificate::~Certificate() {
  call<void>("X509_free", certificate_);
  call<void>("EVP_PKEY_free", key_);
}

std::string Certificate::pem() const {
  return written([this](bio_st* bio) { call<int>("PEM_write_bio_X509", bio, certificate_); });
}

std::string Certificate::der() const {
  return written([this](bio_st* bio) { call<int>("i2d_X509_bio", bio, certificate_); });
}

std::string Certificate::keyPem(const std::string& passphrase) const {
  Object cipher = passphrase.empty() ? nullptr : call<Object>("EVP_aes_128_cbc");
  return written([&](bio_st* bio) {
    call<int>("PEM_write_bio_PKCS8PrivateKey", bio, key_, cipher, passphrase.c_str(),
              static_cast<int>(passphrase.size()), Object{nullptr}, Object{nullptr});
  });
}

std::string Certificate::keyDer(const std::string& passphrase) const {
  Object cipher = passphrase.empty() ? nullptr : call<Object>("EVP_aes_128_cbc");
  return written([&](bio_st* bio) {
    call<int>("i2d_PKCS8PrivateKey_bio", bio, key_, cipher, passphrase.c_str(),
              static_cast<int>(passphrase.size()), Object{nullptr}, Object{nullptr});
  });
}

std::string Certificate::pfx(const std::string& passphrase, const Certificate* issuer) const {
  stack_st* rest = call<stack_st*>("OPENSSL_sk_new_null");
  if (issuer != nullptr) call<int>("OPENSSL_sk_push", rest, issuer->certificate_);
  Object pfx = call<Object>("PKCS12_create", passphrase.c_str(), "name", key_, certificate_, rest,
                            0, 0, 0, 0, 0);
  const std::string bytes = written([pfx](bio_st* bio) { call<int>("i2d_PKCS12_bio", bio, pfx); });
  call<void>("PKCS12_free", pfx);
  call<void>("OPENSSL_sk_free", rest);
  return bytes;
}

std::string Certificate::crlPem(const std::vector<long>& serials) const {
  Object crl = call<Object>("X509_CRL_new");
  call<int>("X509_CRL_set_version", crl, 1L);
  call<int>("X509_CRL_set_issuer_name", crl, call<Object>("X509_get_subject_name", certificate_));
  Object time = call<Object>("ASN1_TIME_new");
  call<Object>("X509_gmtime_adj", time, -60L);
  call<int>("X509_CRL_set1_lastUpdate", crl, time);
  for (const long serial : serials) {
    Object revoked = call<Object>("X509_REVOKED_new");
    Object number = call<Object>("ASN1_INTEGER_new");
    call<int>("ASN1_INTEGER_set", number, serial);
    call<int>("X509_REVOKED_set_serialNumber", revoked, number);
    call<int>("X509_REVOKED_set_revocationDate", revoked, time);
    call<void>("ASN1_INTEGER_free", number);
    call<int>("X509_CRL_add0_revoked", crl, revoked);
  }
  call<Object>("X509_gmtime_adj", time, 3600L);
  call<int>("X509_CRL_set1_nextUpdate", crl, time);
  call<void>("ASN1_TIME_free", time);
  call<int>("X509_CRL_sort", crl);
  call<int>("X509_CRL_sign", crl, key_, digestFor(key_));
  const std::string pem =
      written([crl](bio_st* bio) { call<int>("PEM_write_bio_X509_CRL", bio, crl); });
  call<void>("X509_CRL_free", crl);
  return pem;
}

}  // namespace test
