// One direction of a TLS 1.3 connection: its key, and the number of the next record. RFC 8446,
// sections 5.2 to 5.4 and 7.2 to 7.3.
#pragma once

#include "hkdf.h"

namespace ringpoll::tls {

inline constexpr uint32_t kRecordHeadBytes = 5;
inline constexpr uint32_t kRecordTagBytes = 16;
inline constexpr uint32_t kRecordTypeBytes =
    1;  // the real type of a record stands behind its bytes
inline constexpr uint32_t kRecordOverheadBytes =
    kRecordHeadBytes + kRecordTypeBytes + kRecordTagBytes;
inline constexpr uint32_t kRecordIvBytes = 12;

inline constexpr uint8_t kAlertRecord = 21;
inline constexpr uint8_t kHandshakeRecord = 22;
inline constexpr uint8_t kDataRecord = 23;

class RecordCipher {
 public:
  enum class Way : uint8_t { kSeals, kOpens };

  RecordCipher(const Suite& suite, Way way) : suite_(suite), way_(way) {}
  ~RecordCipher() { api_.OPENSSL_cleanse(secret_, sizeof secret_); }
  RecordCipher(const RecordCipher&) = delete;
  RecordCipher& operator=(const RecordCipher&) = delete;

  // `secret` has suite.hashBytes; `number`: records that went by with its keys. False: no memory.
  bool start(Hkdf& hkdf, const uint8_t* secret, uint64_t number);
  // The next generation of the keys.
  bool update(Hkdf& hkdf);

  // Makes a record of `length` plain bytes; `into` has room for kRecordOverheadBytes more, and
  // overlaps nothing.
  bool seal(uint8_t type, const uint8_t* bytes, size_t length, uint8_t* into);
  // Opens the record with this head and `length` bytes behind it. `into` has room for as many, and
  // gets the plain bytes, the type behind them, and padding. False: it is not the peer's.
  bool open(const uint8_t* head, size_t length, uint8_t* into, size_t* got);

 private:
  bool derive(Hkdf& hkdf);
  void nextNonce(uint8_t nonce[kRecordIvBytes]);

  struct Free {
    void operator()(evp_cipher_ctx_st* context) const { openSsl()->EVP_CIPHER_CTX_free(context); }
  };

  const OpenSsl& api_ = *openSsl();
  const Suite& suite_;
  std::unique_ptr<evp_cipher_ctx_st, Free> cipher_;
  uint64_t number_ = 0;
  uint8_t iv_[kRecordIvBytes] = {};
  Way way_;
  uint8_t secret_[kHashBytesMax] = {};
};

}  // namespace ringpoll::tls
