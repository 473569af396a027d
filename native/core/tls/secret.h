// Bytes that nobody should find in memory later: a private key, a passphrase. They are overwritten
// when they go.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "openssl.h"

namespace ringpoll::tls {

class Secret {
 public:
  Secret() = default;
  Secret(const void* bytes, size_t length)
      : bytes_(std::make_unique<uint8_t[]>(length + 1)), length_(length), given_(true) {
    if (length > 0) std::memcpy(bytes_.get(), bytes, length);
    bytes_[length] = 0;
  }
  explicit Secret(std::string_view text) : Secret(text.data(), text.size()) {}
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept { *this = std::move(other); }
  Secret& operator=(Secret&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(length_, other.length_);
    std::swap(given_, other.given_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  const uint8_t* data() const { return bytes_.get(); }
  size_t size() const { return length_; }
  // Ends with a zero, which is not counted.
  const char* text() const { return reinterpret_cast<const char*>(bytes_.get()); }
  // False: there is none, which is not the same as an empty one.
  bool given() const { return given_; }

 private:
  void wipe() {
    const OpenSsl* ssl = bytes_ == nullptr ? nullptr : openSsl();
    if (ssl != nullptr) ssl->OPENSSL_cleanse(bytes_.get(), length_);
  }

  std::unique_ptr<uint8_t[]> bytes_;
  size_t length_ = 0;
  bool given_ = false;
};

}  // namespace ringpoll::tls
