#include "hkdf.h"

#include <algorithm>
#include <cstring>

namespace ringpoll::tls {

namespace {

constexpr Suite kSuites[] = {
    {0x1301, "AES-128-GCM", "SHA256", 16, 32},
    {0x1302, "AES-256-GCM", "SHA384", 32, 48},
    {0x1303, "ChaCha20-Poly1305", "SHA256", 32, 32},
};
constexpr uint32_t kIdMask = 0xffff;  // OpenSSL's numbers have more before it

constexpr std::string_view kLabelPrefix = "tls13 ";
constexpr size_t kLabelBytesMax = 249;    // with the prefix its length fits into a byte
constexpr size_t kContextBytesMax = 255;  // the same
constexpr size_t kInfoBytesMax = 2 + 1 + 255 + 1 + 255;
constexpr size_t kBlocksMax = 255;  // RFC 5869, section 2.3

}  // namespace

const Suite* suiteOf(uint32_t id) {
  for (const Suite& suite : kSuites) {
    if (suite.id == (id & kIdMask)) return &suite;
  }
  return nullptr;
}

Hkdf::~Hkdf() {
  api_.EVP_MAC_CTX_free(sha256_);
  api_.EVP_MAC_CTX_free(sha384_);
}

evp_mac_ctx_st* Hkdf::macOf(const Suite& suite) {
  evp_mac_ctx_st*& made = suite.hashBytes == kHashBytesMax ? sha384_ : sha256_;
  if (made != nullptr) return made;
  evp_mac_st* hmac = api_.EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  if (hmac == nullptr) return nullptr;
  made = api_.EVP_MAC_CTX_new(hmac);
  api_.EVP_MAC_free(hmac);  // the context has a reference
  const Parameter parameters[] = {Parameter::text("digest", suite.digest), Parameter{}};
  if (made != nullptr && api_.EVP_MAC_CTX_set_params(made, asParameters(parameters)) != 1) {
    api_.EVP_MAC_CTX_free(made);
    made = nullptr;
  }
  return made;
}

bool Hkdf::expandLabel(const Suite& suite, const uint8_t* secret, std::string_view label,
                       const uint8_t* context, size_t contextBytes, uint8_t* into, size_t bytes) {
  if (label.size() > kLabelBytesMax || contextBytes > kContextBytesMax) return false;
  if (bytes > kBlocksMax * suite.hashBytes) return false;
  evp_mac_ctx_st* mac = macOf(suite);
  if (mac == nullptr) return false;
  uint8_t info[kInfoBytesMax];
  size_t length = 0;
  info[length++] = static_cast<uint8_t>(bytes >> 8);
  info[length++] = static_cast<uint8_t>(bytes);
  info[length++] = static_cast<uint8_t>(kLabelPrefix.size() + label.size());
  std::memcpy(info + length, kLabelPrefix.data(), kLabelPrefix.size());
  length += kLabelPrefix.size();
  std::memcpy(info + length, label.data(), label.size());
  length += label.size();
  info[length++] = static_cast<uint8_t>(contextBytes);
  if (contextBytes > 0) std::memcpy(info + length, context, contextBytes);
  length += contextBytes;

  uint8_t block[kHashBytesMax];
  uint8_t number = 0;
  bool done = true;
  for (size_t at = 0; at < bytes && done; at += suite.hashBytes) {
    size_t made = 0;
    done = api_.EVP_MAC_init(mac, secret, suite.hashBytes, nullptr) == 1 &&
           (number == 0 || api_.EVP_MAC_update(mac, block, suite.hashBytes) == 1) &&
           api_.EVP_MAC_update(mac, info, length) == 1 &&
           api_.EVP_MAC_update(mac, &++number, 1) == 1 &&
           api_.EVP_MAC_final(mac, block, &made, sizeof block) == 1 && made == suite.hashBytes;
    if (done) std::memcpy(into + at, block, std::min<size_t>(bytes - at, suite.hashBytes));
  }
  api_.OPENSSL_cleanse(block, sizeof block);
  return done;
}

bool Hkdf::exportSecret(const Suite& suite, const uint8_t* secret, std::string_view label,
                        const uint8_t* context, size_t contextBytes, uint8_t* into, size_t bytes) {
  const evp_md_st* digest =
      suite.hashBytes == kHashBytesMax ? api_.EVP_sha384() : api_.EVP_sha256();
  uint8_t hash[kHashBytesMax];
  uint8_t derived[kHashBytesMax];
  const bool done =
      api_.EVP_Digest("", 0, hash, nullptr, digest, nullptr) == 1 &&
      expandLabel(suite, secret, label, hash, suite.hashBytes, derived, suite.hashBytes) &&
      api_.EVP_Digest(context, contextBytes, hash, nullptr, digest, nullptr) == 1 &&
      expandLabel(suite, derived, "exporter", hash, suite.hashBytes, into, bytes);
  api_.OPENSSL_cleanse(derived, sizeof derived);
  return done;
}

}  // namespace ringpoll::tls
