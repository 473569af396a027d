// HKDF-Expand-Label, by which TLS 1.3 makes keys of secrets: RFC 8446, section 7.1. The rest of the
// key schedule is OpenSSL's; this is what goes on with its secrets.
#pragma once

#include <string_view>

#include "owned.h"

namespace ringpoll::tls {

inline constexpr size_t kHashBytesMax = 48;

// A cipher suite of TLS 1.3 whose records we can encrypt.
struct Suite {
  uint16_t id = 0;
  const char* cipher = nullptr;  // OpenSSL's names
  const char* digest = nullptr;
  uint32_t keyBytes = 0;
  uint32_t hashBytes = 0;
};

// null: another one, such as those with CCM.
const Suite* suiteOf(uint32_t id);

// One for each loop: it keeps an HMAC of each digest ready.
class Hkdf {
 public:
  Hkdf() = default;
  ~Hkdf();
  Hkdf(const Hkdf&) = delete;
  Hkdf& operator=(const Hkdf&) = delete;

  // `secret` has suite.hashBytes. False: OpenSSL refuses, or a length is out of range.
  bool expandLabel(const Suite& suite, const uint8_t* secret, std::string_view label,
                   const uint8_t* context, size_t contextBytes, uint8_t* into, size_t bytes);
  // Keying material for others, of the exporter's secret: RFC 8446, section 7.5.
  bool exportSecret(const Suite& suite, const uint8_t* secret, std::string_view label,
                    const uint8_t* context, size_t contextBytes, uint8_t* into, size_t bytes);

 private:
  evp_mac_ctx_st* macOf(const Suite& suite);

  const OpenSsl& api_ = *openSsl();
  evp_mac_ctx_st* sha256_ = nullptr;
  evp_mac_ctx_st* sha384_ = nullptr;
};

}  // namespace ringpoll::tls
