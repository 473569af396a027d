// What OpenSSL reads from and writes to: a BIO of ours. It reads straight from the block in which
// bytes were received, and what it writes goes straight into a block that is sent.
//
// One serves all connections of a loop: it only has what the call into OpenSSL that is under way
// needs, and OpenSSL keeps what it has read of an unfinished record.
#pragma once

#include <memory>

#include "hkdf.h"
#include "owned.h"

namespace ringpoll::tls {

// Takes what OpenSSL writes. False: there is no memory for it.
class WireOutput {
 public:
  virtual ~WireOutput() = default;
  virtual bool write(const uint8_t* bytes, size_t length) = 0;
  // The same without a copy: room for so many bytes, of which commit() says how many are there.
  // null: no memory.
  virtual uint8_t* room(size_t bytes) = 0;
  virtual void commit(size_t bytes) = 0;
};

class Wire {
 public:
  // null: no memory.
  static std::unique_ptr<Wire> make(WireOutput& output);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // The connection reads and writes here. The wire must outlive it.
  void attach(ssl_st* connection);
  // What is to be read next.
  void setInput(const uint8_t* bytes, size_t length) {
    input_ = bytes;
    inputLeft_ = length;
  }
  const uint8_t* input() const { return input_; }
  size_t inputLeft() const { return inputLeft_; }
  void skip(size_t bytes) {
    input_ += bytes;
    inputLeft_ -= bytes;
  }
  uint64_t written() const { return written_; }
  // For records that OpenSSL does not make.
  uint8_t* room(size_t bytes) { return output_.room(bytes); }
  void commit(size_t bytes) {
    output_.commit(bytes);
    written_ += bytes;
  }
  Hkdf& hkdf() { return hkdf_; }

 private:
  explicit Wire(WireOutput& output) : output_(output) {}
  static int read(bio_st* bio, char* into, size_t room, size_t* got);
  static int write(bio_st* bio, const char* bytes, size_t length, size_t* taken);
  static long control(bio_st* bio, int command, long number, void* pointer);

  WireOutput& output_;
  const OpenSsl& ssl_ = *openSsl();
  Hkdf hkdf_;
  bio_method_st* method_ = nullptr;
  OwnedBio bio_;
  const uint8_t* input_ = nullptr;
  size_t inputLeft_ = 0;
  uint64_t written_ = 0;
};

}  // namespace ringpoll::tls
