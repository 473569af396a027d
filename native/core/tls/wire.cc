#include "wire.h"

#include <algorithm>
#include <cstring>

namespace ringpoll::tls {

namespace {
constexpr int kRetryFlags =
    OpenSsl::kBioShouldRead | OpenSsl::kBioShouldWrite | OpenSsl::kBioShouldRetry;
}  // namespace

std::unique_ptr<Wire> Wire::make(WireOutput& output) {
  std::unique_ptr<Wire> wire(new Wire(output));
  const OpenSsl& ssl = wire->ssl_;
  wire->method_ = ssl.BIO_meth_new(ssl.BIO_get_new_index() | OpenSsl::kBioTypeSource, "ringpoll");
  if (wire->method_ == nullptr) return nullptr;
  ssl.BIO_meth_set_read_ex(wire->method_, Wire::read);
  ssl.BIO_meth_set_write_ex(wire->method_, Wire::write);
  ssl.BIO_meth_set_ctrl(wire->method_, Wire::control);
  wire->bio_.reset(ssl.BIO_new(wire->method_));
  if (wire->bio_ == nullptr) return nullptr;
  ssl.BIO_set_data(wire->bio_.get(), wire.get());
  ssl.BIO_set_init(wire->bio_.get(), 1);
  return wire;
}

Wire::~Wire() {
  bio_.reset();
  if (method_ != nullptr) ssl_.BIO_meth_free(method_);
}

// With the same BIO for both ways OpenSSL takes one reference.
void Wire::attach(ssl_st* connection) {
  ssl_.BIO_up_ref(bio_.get());
  ssl_.SSL_set_bio(connection, bio_.get(), bio_.get());
}

int Wire::read(bio_st* bio, char* into, size_t room, size_t* got) {
  const OpenSsl& ssl = *openSsl();
  Wire& wire = *static_cast<Wire*>(ssl.BIO_get_data(bio));
  ssl.BIO_clear_flags(bio, kRetryFlags);
  *got = std::min(room, wire.inputLeft_);
  if (*got == 0) {
    ssl.BIO_set_flags(bio, OpenSsl::kBioShouldRead | OpenSsl::kBioShouldRetry);
    return -1;
  }
  std::memcpy(into, wire.input_, *got);
  wire.skip(*got);
  return 1;
}

int Wire::write(bio_st* bio, const char* bytes, size_t length, size_t* taken) {
  const OpenSsl& ssl = *openSsl();
  Wire& wire = *static_cast<Wire*>(ssl.BIO_get_data(bio));
  ssl.BIO_clear_flags(bio, kRetryFlags);
  *taken = 0;
  if (!wire.output_.write(reinterpret_cast<const uint8_t*>(bytes), length)) return -1;
  wire.written_ += length;
  *taken = length;
  return 1;
}

long Wire::control(bio_st* bio, int command, long /*number*/, void* /*pointer*/) {
  const OpenSsl& ssl = *openSsl();
  switch (command) {
    case OpenSsl::kBioFlush:
      return 1;
    case OpenSsl::kBioPending:
      return static_cast<long>(static_cast<Wire*>(ssl.BIO_get_data(bio))->inputLeft_);
    default:
      return 0;
  }
}

}  // namespace ringpoll::tls
