// One TLS connection: bytes in, bytes out. It knows no loop and no socket; what it reads lies in
// the wire, and what it writes leaves through it.
//
// OpenSSL shakes hands. It serves what comes then too, unless takeOver() has put records of our own
// in its place.
//
// The queue of OpenSSL's errors is the thread's, and Node's code uses it too: it is empty before
// and after each call here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "context.h"
#include "progress.h"
#include "records.h"
#include "wire.h"

namespace ringpoll::tls {

// Bounds of what a peer may ask for. TLS needs none of them in such numbers.
inline constexpr uint32_t kHandshakeBytesMax = 256 * 1024;  // received before it is complete
inline constexpr uint32_t kLaterMessagesMax = 64;  // key updates, tickets, renegotiations: at once,
inline constexpr uint32_t kLaterMessageMs = 1000;  // and one more in each such time
// As node:tls and OpenSSL name it.
const char* versionName(int version);

class Session {
 public:
  Session(Wire& wire, std::shared_ptr<const Context> context)
      : wire_(wire), context_(std::move(context)) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Before anything else. False: no memory.
  bool accept(SessionHooks* hooks);
  // `verifyName` as for Context::newClient().
  bool connect(SessionHooks* hooks, const std::string& serverName, const std::string& verifyName,
               ssl_session_st* resumed);

  // From the wire's input.
  Progress handshake();
  // The handshake is done: from now on its records are our own, where they can be, and OpenSSL's
  // object is gone.
  void takeOver();
  // A line of a key log, from the hooks.
  void secretCame(const char* line);
  // kDone: some bytes were read into the room, which is at least kRecordRoomBytes. kNeedsBytes:
  // there are none.
  Progress read(uint8_t* into, size_t room, size_t* got);
  // Something of what was read from the wire waits to be read here, or to become a whole record.
  bool holdsInput() const { return ssl_ != nullptr && api_.SSL_has_pending(ssl_.get()) == 1; }
  // All of it, in records as large as possible. False: it has failed.
  bool write(const uint8_t* bytes, size_t length);
  // close_notify. Only after the handshake.
  void end();
  // The failure of the last call.
  Failure takeFailure();
  // False: the peer has sent more messages of the handshake protocol than it may.
  bool behaves(uint64_t nowMs);

  // Only in the handshake.
  ssl_st* handle() const { return ssl_.get(); }
  const std::shared_ptr<const Context>& context() const { return context_; }
  bool established() const { return established_; }
  bool resumed() const;
  int version() const;
  const ssl_cipher_st* cipher() const;
  std::string_view alpn() const;
  std::string_view serverName() const;
  long verifyResult() const;
  // null: the peer has none. Both belong to the session.
  x509_st* peerCertificate() const;
  const stack_st* peerChain() const;
  bool exportKeyingMaterial(std::string_view label, bool hasContext, const uint8_t* context,
                            size_t contextBytes, uint8_t* into, size_t bytes);

 private:
  // What the handshake has agreed on, once OpenSSL's object is gone.
  struct Agreed {
    std::unique_ptr<Records> records;
    const ssl_cipher_st* cipher = nullptr;  // one of OpenSSL's own table
    std::string alpn;
    std::string serverName;
    bool resumed = false;
  };

  bool mayTakeOver() const;
  void hearSecrets(bool on);
  bool begin(OwnedSsl made);
  Progress progressOf(int result);
  static void onMessage(int writes, int version, int type, const void* bytes, size_t length,
                        ssl_st* connection, void* session);

  Wire& wire_;
  const OpenSsl& api_ = *openSsl();
  const std::shared_ptr<const Context> context_;
  OwnedSsl ssl_;
  std::unique_ptr<TrafficSecrets> secrets_;  // between our Finished and the peer's
  std::unique_ptr<Agreed> agreed_;
  uint64_t sentRecords_ = 0;  // behind our Finished
  bool established_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool alertIsPeers_ = false;
  bool sentFinished_ = false;
  uint8_t alert_ = kNoAlert;
  uint32_t laterMessages_ = 0;
  uint64_t laterSinceMs_ = 0;
};

}  // namespace ringpoll::tls
