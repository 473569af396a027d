#include "ticket_keys.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace ringpoll::tls {

namespace {

constexpr size_t kPartBytes = 16;  // of the three that a key has
constexpr size_t kHmacAt = kPartBytes;
constexpr size_t kAesAt = 2 * kPartBytes;
constexpr int kIvBytes = 16;

uint64_t monotonicMs() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<milliseconds>(now).count());
}

// Looked up once: each ticket would do it again.
const evp_cipher_st* aes(const OpenSsl& ssl) {
  static const evp_cipher_st* const cipher = ssl.EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
  return cipher;
}

}  // namespace

std::shared_ptr<TicketKeys> TicketKeys::ofProcess() {
  static const std::shared_ptr<TicketKeys> keys(new TicketKeys);
  Key key;
  const bool there = keys->first(monotonicMs(), &key);
  openSsl()->OPENSSL_cleanse(key.data(), key.size());
  return there ? keys : nullptr;
}

void TicketKeys::wipe(std::vector<Key>* keys) {
  const OpenSsl* ssl = openSsl();
  for (Key& key : *keys) {
    if (ssl != nullptr) ssl->OPENSSL_cleanse(key.data(), key.size());
  }
}

void TicketKeys::replace(std::vector<Key> keys) {
  const std::lock_guard lock(mutex_);
  std::swap(keys_, keys);
  rotates_ = false;
  wipe(&keys);
}

// With the mutex held.
bool TicketKeys::rotate(uint64_t nowMs) {
  if (!rotates_ || (!keys_.empty() && nowMs - madeMs_ < kTicketKeyMs)) return !keys_.empty();
  // Nothing was decrypted for so long that what is left is too old as well.
  const bool stale = !keys_.empty() && nowMs - madeMs_ >= kOwnTicketKeys * kTicketKeyMs;
  std::vector<Key> next(1);
  const OpenSsl& ssl = *openSsl();
  if (ssl.RAND_bytes(next[0].data(), kTicketKeyBytes) != 1) return !keys_.empty();
  for (size_t i = 0; !stale && i < keys_.size() && next.size() < kOwnTicketKeys; ++i) {
    next.push_back(keys_[i]);
  }
  std::swap(keys_, next);
  wipe(&next);
  madeMs_ = nowMs;
  return true;
}

bool TicketKeys::first(uint64_t nowMs, Key* key) {
  const std::lock_guard lock(mutex_);
  if (!rotate(nowMs)) return false;
  *key = keys_.front();
  return true;
}

bool TicketKeys::find(const uint8_t* name, uint64_t nowMs, Key* key, bool* isFirst) {
  const std::lock_guard lock(mutex_);
  if (!rotate(nowMs)) return false;
  const auto found = std::find_if(keys_.begin(), keys_.end(), [name](const Key& each) {
    return std::memcmp(each.data(), name, kPartBytes) == 0;
  });
  if (found == keys_.end()) return false;
  *key = *found;
  *isFirst = found == keys_.begin();
  return true;
}

int TicketKeys::prepare(const OpenSsl& ssl, unsigned char* name, unsigned char* iv,
                        evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, bool encrypts) {
  Key key;
  bool isFirst = true;
  const uint64_t nowMs = monotonicMs();
  if (aes(ssl) == nullptr) return kError;
  if (!encrypts && !find(name, nowMs, &key, &isFirst)) return kUnknown;
  if (encrypts && !first(nowMs, &key)) return kError;
  bool done = true;
  if (encrypts) {
    std::memcpy(name, key.data(), kPartBytes);
    done = ssl.RAND_bytes(iv, kIvBytes) == 1;
  }
  const Parameter parameters[] = {Parameter::octets("key", key.data() + kHmacAt, kPartBytes),
                                  Parameter::text("digest", "SHA256"), Parameter{}};
  const auto begin = encrypts ? ssl.EVP_EncryptInit_ex2 : ssl.EVP_DecryptInit_ex2;
  done = done && ssl.EVP_MAC_CTX_set_params(mac, asParameters(parameters)) == 1 &&
         begin(cipher, aes(ssl), key.data() + kAesAt, iv, nullptr) == 1;
  ssl.OPENSSL_cleanse(key.data(), key.size());
  if (!done) return kError;
  return isFirst ? kUsable : kUsableAndOld;
}

}  // namespace ringpoll::tls
