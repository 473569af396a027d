#include "record_cipher.h"

#include <cstring>

namespace ringpoll::tls {

namespace {

// Up to so many bytes a copy costs less than one more call of the cipher.
constexpr size_t kCopiedBytesMax = 2048;
constexpr uint8_t kVersionMajor = 3;  // of TLS 1.2, for everybody on the way
constexpr uint8_t kVersionMinor = 3;

// Each fetched once for the process: OpenSSL would look its name up for every connection.
const evp_cipher_st* cipherOf(const OpenSsl& api, const Suite& suite) {
  static const evp_cipher_st* const small = api.EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  static const evp_cipher_st* const large = api.EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  static const evp_cipher_st* const stream =
      api.EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  if (suite.cipher[0] == 'C') return stream;
  return suite.hashBytes == kHashBytesMax ? large : small;
}

}  // namespace

bool RecordCipher::start(Hkdf& hkdf, const uint8_t* secret, uint64_t number) {
  const evp_cipher_st* cipher = cipherOf(api_, suite_);
  cipher_.reset(cipher == nullptr ? nullptr : api_.EVP_CIPHER_CTX_new());
  if (cipher_ == nullptr) return false;
  const auto begin = way_ == Way::kSeals ? api_.EVP_EncryptInit_ex2 : api_.EVP_DecryptInit_ex2;
  if (begin(cipher_.get(), cipher, nullptr, nullptr, nullptr) != 1) return false;
  std::memcpy(secret_, secret, suite_.hashBytes);
  number_ = number;
  return derive(hkdf);
}

bool RecordCipher::update(Hkdf& hkdf) {
  uint8_t next[kHashBytesMax];
  const bool done =
      hkdf.expandLabel(suite_, secret_, "traffic upd", nullptr, 0, next, suite_.hashBytes);
  if (done) std::memcpy(secret_, next, suite_.hashBytes);
  api_.OPENSSL_cleanse(next, sizeof next);
  number_ = 0;
  return done && derive(hkdf);
}

bool RecordCipher::derive(Hkdf& hkdf) {
  uint8_t key[32];
  const auto begin = way_ == Way::kSeals ? api_.EVP_EncryptInit_ex2 : api_.EVP_DecryptInit_ex2;
  const bool done = hkdf.expandLabel(suite_, secret_, "key", nullptr, 0, key, suite_.keyBytes) &&
                    hkdf.expandLabel(suite_, secret_, "iv", nullptr, 0, iv_, kRecordIvBytes) &&
                    begin(cipher_.get(), nullptr, key, nullptr, nullptr) == 1;
  api_.OPENSSL_cleanse(key, sizeof key);
  return done;
}

void RecordCipher::nextNonce(uint8_t nonce[kRecordIvBytes]) {
  std::memcpy(nonce, iv_, kRecordIvBytes);
  for (uint32_t i = 0; i < sizeof number_; ++i) {
    nonce[kRecordIvBytes - 1 - i] ^= static_cast<uint8_t>(number_ >> (8 * i));
  }
  ++number_;
}

bool RecordCipher::seal(uint8_t type, const uint8_t* bytes, size_t length, uint8_t* into) {
  const size_t sealed = length + kRecordTypeBytes + kRecordTagBytes;
  into[0] = kDataRecord;
  into[1] = kVersionMajor;
  into[2] = kVersionMinor;
  into[3] = static_cast<uint8_t>(sealed >> 8);
  into[4] = static_cast<uint8_t>(sealed);
  uint8_t nonce[kRecordIvBytes];
  nextNonce(nonce);
  evp_cipher_ctx_st* cipher = cipher_.get();
  uint8_t* at = into + kRecordHeadBytes;
  const uint8_t* end = at + length;
  int made = 0;
  if (api_.EVP_EncryptInit_ex2(cipher, nullptr, nullptr, nonce, nullptr) != 1) return false;
  if (api_.EVP_EncryptUpdate(cipher, nullptr, &made, into, kRecordHeadBytes) != 1) return false;
  if (length > kCopiedBytesMax) {
    if (api_.EVP_EncryptUpdate(cipher, at, &made, bytes, static_cast<int>(length)) != 1) {
      return false;
    }
    at += made;
    length = 0;
  }
  if (length > 0) std::memcpy(at, bytes, length);
  at[length] = type;
  if (api_.EVP_EncryptUpdate(cipher, at, &made, at, static_cast<int>(length) + 1) != 1) {
    return false;
  }
  at += made;
  if (api_.EVP_EncryptFinal_ex(cipher, at, &made) != 1) return false;
  at += made;
  if (at != end + kRecordTypeBytes) return false;
  return api_.EVP_CIPHER_CTX_ctrl(cipher, OpenSsl::kAeadGetTag, kRecordTagBytes, at) == 1;
}

bool RecordCipher::open(const uint8_t* head, size_t length, uint8_t* into, size_t* got) {
  if (length < kRecordTypeBytes + kRecordTagBytes) return false;
  const uint8_t* sealed = head + kRecordHeadBytes;
  const size_t bytes = length - kRecordTagBytes;
  uint8_t nonce[kRecordIvBytes];
  nextNonce(nonce);
  evp_cipher_ctx_st* cipher = cipher_.get();
  int made = 0;
  int rest = 0;
  auto* tag = const_cast<uint8_t*>(sealed + bytes);  // which is only read
  if (api_.EVP_DecryptInit_ex2(cipher, nullptr, nullptr, nonce, nullptr) != 1 ||
      api_.EVP_CIPHER_CTX_ctrl(cipher, OpenSsl::kAeadSetTag, kRecordTagBytes, tag) != 1 ||
      api_.EVP_DecryptUpdate(cipher, nullptr, &made, head, kRecordHeadBytes) != 1 ||
      api_.EVP_DecryptUpdate(cipher, into, &made, sealed, static_cast<int>(bytes)) != 1 ||
      api_.EVP_DecryptFinal_ex(cipher, into + made, &rest) != 1) {
    return false;
  }
  *got = static_cast<size_t>(made) + static_cast<size_t>(rest);
  return true;
}

}  // namespace ringpoll::tls
