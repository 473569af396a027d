// One TLS connection as OpenSSL has it: bytes in, bytes out. It knows no loop and no socket; what
// it reads lies in the wire, and what it writes leaves through it.
//
// The queue of OpenSSL's errors is the thread's, and Node's code uses it too: it is empty before
// and after each call here.
#pragma once

#include <string>

#include "context.h"
#include "wire.h"

namespace ringpoll::tls {

// Bounds of what a peer may ask for. TLS needs none of them in such numbers.
inline constexpr uint32_t kHandshakeBytesMax = 256 * 1024;  // received before it is complete
inline constexpr uint32_t kLaterMessagesMax = 64;  // key updates, tickets, renegotiations: at once,
inline constexpr uint32_t kLaterMessageMs = 1000;  // and one more in each such time
inline constexpr uint32_t kRecordBytesMax = 16 * 1024;  // of plain bytes in a record

inline constexpr uint8_t kNoAlert = 255;

enum class Progress : uint8_t {
  kNeedsBytes,
  kWaits,  // for what the hooks were asked
  kDone,
  kEnded,  // the peer's close_notify
  kFailed,
};

// Why a connection has failed.
struct Failure {
  std::string reason;  // OpenSSL's words, without any data
  long verifyResult = 0;
  uint8_t alert = kNoAlert;  // that ended it
  bool alertIsPeers = false;
};

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
  // kDone: some bytes were read into the room. kNeedsBytes: there are none.
  Progress read(uint8_t* into, size_t room, size_t* got);
  // Something of what was read from the wire waits to be read here, or to become a whole record.
  bool holdsInput() const { return api_.SSL_has_pending(ssl_.get()) == 1; }
  // All of it, in records as large as possible. False: it has failed.
  bool write(const uint8_t* bytes, size_t length);
  // close_notify. Only after the handshake.
  void end();
  // The failure of the last call.
  Failure takeFailure();
  // False: the peer has sent more messages of the handshake protocol than it may.
  bool behaves(uint64_t nowMs);

  ssl_st* handle() const { return ssl_.get(); }
  const std::shared_ptr<const Context>& context() const { return context_; }
  bool established() const { return established_; }
  bool resumed() const;
  int version() const;

 private:
  bool begin(OwnedSsl made);
  Progress progressOf(int result);
  static void onMessage(int writes, int version, int type, const void* bytes, size_t length,
                        ssl_st* connection, void* session);

  Wire& wire_;
  const OpenSsl& api_ = *openSsl();
  const std::shared_ptr<const Context> context_;
  OwnedSsl ssl_;
  bool established_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool alertIsPeers_ = false;
  uint8_t alert_ = kNoAlert;
  uint32_t laterMessages_ = 0;
  uint64_t laterSinceMs_ = 0;
};

}  // namespace ringpoll::tls
