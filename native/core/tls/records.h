// The records of a server's connection of TLS 1.3 behind its handshake: our own, in the place of
// OpenSSL's, which keeps ten times the memory for each connection. It is OpenSSL that shakes hands,
// and whose ciphers these are.
//
// RFC 8446: records (5), key updates (4.6.3), alerts (6). Nothing else may come from a client once
// the handshake is over.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "progress.h"
#include "record_cipher.h"
#include "wire.h"

namespace ringpoll::tls {

// Bounds of what a peer may send that says nothing, as OpenSSL has them.
inline constexpr uint32_t kEmptyRecordsMax = 32;  // one behind the other
inline constexpr uint32_t kWarningsMax = 5;

// What the handshake has come to. It is overwritten when it goes.
struct TrafficSecrets {
  ~TrafficSecrets() { openSsl()->OPENSSL_cleanse(this, sizeof *this); }

  uint8_t client[kHashBytesMax] = {};
  uint8_t server[kHashBytesMax] = {};
  uint8_t exporter[kHashBytesMax] = {};
  bool hasClient = false;
  bool hasServer = false;
  bool hasExporter = false;

  bool whole() const { return hasClient && hasServer && hasExporter; }
  // A line of NSS's key log format; others are left aside.
  void take(const char* line);
};

class Records {
 public:
  // `sent`: records that have left with the server's keys. null: no memory.
  static std::unique_ptr<Records> make(Wire& wire, const Suite& suite,
                                       const TrafficSecrets& secrets, uint64_t sent);
  ~Records() { openSsl()->OPENSSL_cleanse(exporter_, sizeof exporter_); }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  // One record with bytes, from the wire's input. The room is at least kRecordRoomBytes.
  Progress read(uint8_t* into, size_t* got);
  bool write(const uint8_t* bytes, size_t length);
  // close_notify.
  void end();

  bool exportKeyingMaterial(std::string_view label, const uint8_t* context, size_t contextBytes,
                            uint8_t* into, size_t bytes);

  // Messages of the handshake protocol that have come since the last call.
  uint32_t takeMessages() { return std::exchange(messages_, 0); }
  const char* reason() const { return reason_; }
  uint8_t alert() const { return alert_; }
  bool alertIsPeers() const { return alertIsPeers_; }

 private:
  static constexpr uint32_t kKeyUpdateBytes = 5;

  Records(Wire& wire, const Suite& suite)
      : wire_(wire),
        suite_(suite),
        in_(suite, RecordCipher::Way::kOpens),
        out_(suite, RecordCipher::Way::kSeals) {}

  bool takeRecord(const uint8_t** record, size_t* length, Progress* progress);
  bool gather(size_t bytes);
  Progress handle(uint8_t type, const uint8_t* bytes, size_t length, size_t* got);
  Progress alerted(const uint8_t* bytes, size_t length);
  Progress messaged(const uint8_t* bytes, size_t length);
  Progress updateKeys(uint8_t request);
  bool send(uint8_t type, const uint8_t* bytes, size_t length);
  Progress fail(uint8_t alert, const char* reason);

  Wire& wire_;
  const Suite& suite_;
  RecordCipher in_;
  RecordCipher out_;
  std::vector<uint8_t> partial_;  // a record that is not whole yet
  uint8_t message_[kKeyUpdateBytes] = {};
  uint8_t messageBytes_ = 0;  // of one that goes on in the next record
  uint8_t exporter_[kHashBytesMax] = {};
  const char* reason_ = "";
  uint32_t messages_ = 0;
  uint8_t empty_ = 0;
  uint8_t warnings_ = 0;
  uint8_t alert_ = kNoAlert;
  bool alertIsPeers_ = false;
};

}  // namespace ringpoll::tls
