// The keys that session tickets are encrypted with. The first encrypts; all of them decrypt, so
// that a ticket outlives a rotation. Threads use one object at once.
//
// A key has 48 bytes, as Node's own: a name, a key for HMAC-SHA256 and one for AES-128-CBC, 16
// bytes each. So servers of node:tls in the same group can share them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/lock_waits.h"
#include "openssl.h"

namespace ringpoll::tls {

inline constexpr size_t kTicketKeyBytes = 48;
inline constexpr size_t kTicketKeysMax = 16;
inline constexpr uint64_t kTicketKeyMs = 60ull * 60 * 1000;  // a key of the process is used so long
inline constexpr size_t kOwnTicketKeys = 3;                  // and this many decrypt

class TicketKeys {
 public:
  using Key = std::array<uint8_t, kTicketKeyBytes>;

  // Those that were given: at least one.
  explicit TicketKeys(std::vector<Key> keys) : keys_(std::move(keys)) {}
  ~TicketKeys() { wipe(&keys_); }
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Random ones that all threads of the process share. A new one takes the place of the first every
  // kTicketKeyMs. null: there are no random bytes.
  static std::shared_ptr<TicketKeys> ofProcess();

  void replace(std::vector<Key> keys);
  // The first key, as it is at `nowMs`. False: no random bytes for a new one.
  bool first(uint64_t nowMs, Key* key);
  // The key with that name, and whether it is the first. False: there is none.
  bool find(const uint8_t* name, uint64_t nowMs, Key* key, bool* isFirst);

  // What prepare() answers, in OpenSSL's numbers.
  static constexpr int kError = -1;
  static constexpr int kUnknown = 0;
  static constexpr int kUsable = 1;
  static constexpr int kUsableAndOld = 2;  // the client gets a new ticket

  // What OpenSSL asks when it writes or reads a ticket; see SSL_CTX_set_tlsext_ticket_key_evp_cb.
  int prepare(const OpenSsl& ssl, unsigned char* name, unsigned char* iv, evp_cipher_ctx_st* cipher,
              evp_mac_ctx_st* mac, bool encrypts);

 private:
  TicketKeys() : rotates_(true) {}
  bool rotate(uint64_t nowMs);
  static void wipe(std::vector<Key>* keys);

  CountedMutex mutex_{SharedLock::kTicketKeys};
  std::vector<Key> keys_;
  bool rotates_ = false;
  uint64_t madeMs_ = 0;
};

}  // namespace ringpoll::tls
