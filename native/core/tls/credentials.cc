#include "credentials.h"

#include <climits>

namespace ringpoll::tls {

namespace {

constexpr uint8_t kDerSequence = 0x30;
constexpr int kPkcs12Library = 35;
constexpr int kMacVerifyFailure = 113;

OwnedBio over(const OpenSsl& ssl, const uint8_t* bytes, size_t length) {
  if (length > kCredentialBytesMax) return nullptr;
  return OwnedBio(ssl.BIO_new_mem_buf(bytes, static_cast<int>(length)));
}

bool isDer(const uint8_t* bytes, size_t length) { return length > 0 && bytes[0] == kDerSequence; }

// What OpenSSL's callback for a passphrase is given, and what it finds out.
struct Asked {
  const Secret& passphrase;
  bool asked = false;
};

int givePassphrase(char* into, int room, int /*writing*/, void* data) {
  auto* asked = static_cast<Asked*>(data);
  asked->asked = true;
  const Secret& passphrase = asked->passphrase;
  if (!passphrase.given() || room < 0 || passphrase.size() > static_cast<size_t>(room)) return -1;
  std::memcpy(into, passphrase.data(), passphrase.size());
  return static_cast<int>(passphrase.size());
}

// For what has none: OpenSSL would ask the terminal.
int noPassphrase(char*, int, int, void*) { return -1; }

OwnedKey readKey(const OpenSsl& ssl, const KeyOption& option, bool* asked) {
  Asked data{option.passphrase};
  OwnedBio bio = over(ssl, option.bytes.data(), option.bytes.size());
  OwnedKey key;
  if (bio == nullptr) return key;
  if (!isDer(option.bytes.data(), option.bytes.size())) {
    key.reset(ssl.PEM_read_bio_PrivateKey(bio.get(), nullptr, givePassphrase, &data));
  } else {
    key.reset(ssl.d2i_PrivateKey_bio(bio.get(), nullptr));
    if (key == nullptr) {
      ssl.ERR_clear_error();
      bio = over(ssl, option.bytes.data(), option.bytes.size());
      key.reset(ssl.d2i_PKCS8PrivateKey_bio(bio.get(), nullptr, givePassphrase, &data));
    }
  }
  *asked = data.asked;
  return key;
}

bool fail(const OpenSsl& ssl, ContextError* error, ContextFailure failure, size_t index) {
  error->failure = failure;
  error->index = static_cast<uint32_t>(index);
  error->reason = ssl.takeReason();
  return false;
}

bool readOneKey(const OpenSsl& ssl, const KeyOption& option, size_t index, OwnedKey* key,
                ContextError* error) {
  bool asked = false;
  *key = readKey(ssl, option, &asked);
  if (*key != nullptr) return true;
  if (!asked) return fail(ssl, error, ContextFailure::kKey, index);
  return fail(ssl, error,
              option.passphrase.given() ? ContextFailure::kPassphraseWrong
                                        : ContextFailure::kPassphraseMissing,
              index);
}

bool readCertificateChain(const OpenSsl& ssl, const Bytes& bytes, size_t index, Chain* chain,
                          ContextError* error) {
  std::vector<OwnedCertificate> all = readCertificates(ssl, bytes.data(), bytes.size());
  if (all.empty()) return fail(ssl, error, ContextFailure::kCertificate, index);
  if (all.size() > kChainLengthMax) return fail(ssl, error, ContextFailure::kChainTooLong, index);
  chain->certificate = std::move(all.front());
  for (size_t i = 1; i < all.size(); ++i) chain->rest.push_back(std::move(all[i]));
  return true;
}

// Gives a key to the chain that it belongs to.
bool giveKey(const OpenSsl& ssl, OwnedKey key, size_t index, std::vector<Chain>* chains,
             ContextError* error) {
  bool free = false;
  for (Chain& chain : *chains) {
    if (chain.key != nullptr) continue;
    free = true;
    const evp_pkey_st* wanted = ssl.X509_get0_pubkey(chain.certificate.get());
    if (wanted == nullptr || ssl.EVP_PKEY_eq(wanted, key.get()) != 1) continue;
    chain.key = std::move(key);
    return true;
  }
  return fail(ssl, error, free ? ContextFailure::kKeyMismatch : ContextFailure::kCertificateMissing,
              index);
}

bool readPfx(const OpenSsl& ssl, const PfxOption& option, size_t index, Chain* chain,
             std::vector<OwnedCertificate>* authorities, ContextError* error) {
  const OwnedBio bio = over(ssl, option.bytes.data(), option.bytes.size());
  if (bio == nullptr) return fail(ssl, error, ContextFailure::kPfx, index);
  const OwnedPfx pfx(ssl.d2i_PKCS12_bio(bio.get(), nullptr));
  if (pfx == nullptr) return fail(ssl, error, ContextFailure::kPfx, index);
  evp_pkey_st* key = nullptr;
  x509_st* certificate = nullptr;
  stack_st_X509* rest = nullptr;
  const char* passphrase = option.passphrase.given() ? option.passphrase.text() : "";
  if (ssl.PKCS12_parse(pfx.get(), passphrase, &key, &certificate, &rest) != 1) {
    const unsigned long why = ssl.ERR_peek_last_error();
    const bool wrong =
        OpenSsl::libraryOf(why) == kPkcs12Library && OpenSsl::reasonOf(why) == kMacVerifyFailure;
    return fail(ssl, error, wrong ? ContextFailure::kPfxPassphrase : ContextFailure::kPfx, index);
  }
  chain->key.reset(key);
  chain->certificate.reset(certificate);
  auto* stack = reinterpret_cast<stack_st*>(rest);
  const int count = rest == nullptr ? 0 : ssl.OPENSSL_sk_num(stack);
  for (int i = 0; i < count; ++i) {
    chain->rest.emplace_back(static_cast<x509_st*>(ssl.OPENSSL_sk_value(stack, i)));
    authorities->push_back(share(chain->rest.back().get()));
  }
  ssl.OPENSSL_sk_free(stack);
  if (key == nullptr || certificate == nullptr) {
    return fail(ssl, error, ContextFailure::kPfx, index);
  }
  if (count > static_cast<int>(kChainLengthMax)) {
    return fail(ssl, error, ContextFailure::kChainTooLong, index);
  }
  return true;
}

}  // namespace

OwnedCertificate share(x509_st* certificate) {
  openSsl()->X509_up_ref(certificate);
  return OwnedCertificate(certificate);
}

std::vector<OwnedCertificate> readCertificates(const OpenSsl& ssl, const uint8_t* bytes,
                                               size_t length) {
  std::vector<OwnedCertificate> all;
  const OwnedBio bio = over(ssl, bytes, length);
  if (bio == nullptr) return all;
  if (isDer(bytes, length)) {
    OwnedCertificate one(ssl.d2i_X509_bio(bio.get(), nullptr));
    if (one != nullptr) all.push_back(std::move(one));
    return all;
  }
  while (true) {
    OwnedCertificate one(ssl.PEM_read_bio_X509_AUX(bio.get(), nullptr, noPassphrase, nullptr));
    if (one == nullptr) break;
    all.push_back(std::move(one));
  }
  // The end of PEM is an error to OpenSSL. Any other one makes all of it unreadable: a chain with a
  // hole would fail at peers alone.
  const unsigned long why = ssl.ERR_peek_last_error();
  constexpr int kPemLibrary = 9;
  constexpr int kNoStartLine = 108;
  if (OpenSsl::libraryOf(why) != kPemLibrary || OpenSsl::reasonOf(why) != kNoStartLine) {
    all.clear();
  }
  if (!all.empty()) ssl.ERR_clear_error();
  return all;
}

std::vector<OwnedCrl> readCrls(const OpenSsl& ssl, const Bytes& bytes) {
  std::vector<OwnedCrl> all;
  const OwnedBio bio = over(ssl, bytes.data(), bytes.size());
  if (bio == nullptr) return all;
  if (isDer(bytes.data(), bytes.size())) {
    OwnedCrl one(ssl.d2i_X509_CRL_bio(bio.get(), nullptr));
    if (one != nullptr) all.push_back(std::move(one));
    return all;
  }
  while (true) {
    OwnedCrl one(ssl.PEM_read_bio_X509_CRL(bio.get(), nullptr, noPassphrase, nullptr));
    if (one == nullptr) break;
    all.push_back(std::move(one));
  }
  if (!all.empty()) ssl.ERR_clear_error();
  return all;
}

bool readChains(const OpenSsl& ssl, const ContextOptions& options, std::vector<Chain>* chains,
                std::vector<OwnedCertificate>* authorities, ContextError* error) {
  for (size_t i = 0; i < options.certificates.size(); ++i) {
    Chain chain;
    if (!readCertificateChain(ssl, options.certificates[i], i, &chain, error)) return false;
    chains->push_back(std::move(chain));
  }
  for (size_t i = 0; i < options.keys.size(); ++i) {
    OwnedKey key;
    if (!readOneKey(ssl, options.keys[i], i, &key, error)) return false;
    if (!giveKey(ssl, std::move(key), i, chains, error)) return false;
  }
  for (size_t i = 0; i < chains->size(); ++i) {
    if ((*chains)[i].key == nullptr) return fail(ssl, error, ContextFailure::kKeyMissing, i);
  }
  for (size_t i = 0; i < options.pfx.size(); ++i) {
    Chain chain;
    if (!readPfx(ssl, options.pfx[i], i, &chain, authorities, error)) return false;
    chains->push_back(std::move(chain));
  }
  for (size_t i = 0; i < options.staples.size() && i < chains->size(); ++i) {
    const Bytes& staple = options.staples[i];
    if (!staple.empty() && !isDer(staple.data(), staple.size())) {
      return fail(ssl, error, ContextFailure::kStaple, i);
    }
    (*chains)[i].staple = staple;
  }
  return true;
}

void complete(const OpenSsl& ssl, Chain* chain, const std::vector<OwnedCertificate>& authorities) {
  if (!chain->rest.empty()) return;
  const auto issued = [&ssl](x509_st* issuer, x509_st* subject) {
    return ssl.X509_check_issued(issuer, subject) == OpenSsl::kVerified;
  };
  x509_st* last = chain->certificate.get();
  while (chain->rest.size() < kChainLengthMax && !issued(last, last)) {
    x509_st* issuer = nullptr;
    for (const OwnedCertificate& each : authorities) {
      if (!issued(each.get(), each.get()) && issued(each.get(), last)) issuer = each.get();
    }
    if (issuer == nullptr) return;
    chain->rest.push_back(share(issuer));
    last = issuer;
  }
}

}  // namespace ringpoll::tls
