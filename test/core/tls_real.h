// A listener of TLS on a real engine, and an echo in the place of JavaScript.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tls/filter.h"
#include "tls_peer.h"

namespace test {

struct TlsError {
  TlsFailure kind;
  uint8_t alert;
  bool alertIsPeers;
  uint32_t verify;
  std::string reason;
  std::string address;
};

inline tls::ContextOptions withVersion(tls::ContextOptions options, int version) {
  options.minVersion = options.maxVersion = version;
  return options;
}

class TlsReal {
 public:
  explicit TlsReal(RealEngine engine)
      : real(engine),
        certificate(std::make_unique<Certificate>(CertificateWish{})),
        client(contextOf(clientOptions(*certificate))) {}

  std::string start(Endpoint endpoint = {}) {
    return start(contextOf(serverOptions(*certificate)), std::move(endpoint));
  }
  std::string start(std::shared_ptr<const tls::Context> context, Endpoint endpoint = {}) {
    const std::string refused = real.start();
    if (!refused.empty()) return refused;
    Loop& loop = real.js->loop;
    auto made = tls::Filter::make(loop.arena(), loop.eventWriter(), loop.filterHost());
    filter = made.get();
    loop.addProtocol(std::move(made));
    settings = std::make_shared<tls::Settings>();
    settings->context = std::move(context);
    endpoint.filter = filter;
    endpoint.filterSettings = settings;
    real.listen(endpoint);
    real.js->handler = [this](const Event& event) { onEvent(event); };
    return "";
  }
  std::shared_ptr<const tls::Context> clientOf(int version) const {
    return contextOf(withVersion(clientOptions(*certificate), version));
  }
  // Turns until the peer's handshake is over, and the connection is told.
  bool secure(TlsPeer& peer) {
    peer.socket.connect(real.port);
    const uint32_t before = notes.opened;
    return until(peer, [&] { return peer.secure && notes.opened > before; });
  }
  bool until(TlsPeer& peer, const std::function<bool()>& done, size_t most = SIZE_MAX) {
    return real.until([&] {
      peer.pump(most);
      return done();
    });
  }
  std::string textOf(const Event& event) {
    const uint8_t* slab = real.js->host.slabs.slab(static_cast<uint32_t>(event.result));
    return {reinterpret_cast<const char*>(slab) + event.offset, event.length};
  }
  double pending(Name name) const { return real.js->host.pending[name.slot]; }

  void onEvent(const Event& event) {
    switch (event.kind) {
      case EventKind::kTlsError: {
        const std::string text = textOf(event);
        const size_t line = text.find('\n');
        errors.push_back({static_cast<TlsFailure>(event.aux0 & 0xff),
                          static_cast<uint8_t>(event.aux0 >> 8), (event.aux0 >> 16 & 1) != 0,
                          event.aux0 >> 24, text.substr(0, line),
                          text.substr(line + 1, text.find('\n', line + 1) - line - 1)});
        return;
      }
      case EventKind::kTlsServerName:
        names.push_back(textOf(event));
        if (nameAsked) nameAsked(event);
        return;
      case EventKind::kTlsSession:
        sessions.push_back(textOf(event));
        return;
      case EventKind::kTlsKeylog:
        keylog.push_back(textOf(event));
        return;
      default:
        break;
    }
    notes.note(event);
    if (event.kind == EventKind::kData && echoes) real.js->writeFrom(event.name, event);
    if (event.kind == EventKind::kEnd && endsBack) {
      real.js->command(CommandKind::kEnd, event.name);
    }
  }

  Real real;
  std::unique_ptr<Certificate> certificate;
  std::shared_ptr<const tls::Context> client;
  tls::Filter* filter = nullptr;
  std::shared_ptr<tls::Settings> settings;
  Notes notes;
  std::vector<TlsError> errors;
  std::vector<std::string> names;
  std::vector<std::string> sessions;
  std::vector<std::string> keylog;
  std::function<void(const Event&)> nameAsked;
  bool echoes = true;
  bool endsBack = true;
};

#define START_TLS_OR_SKIP(tls_, ...)                       \
  do {                                                     \
    const std::string refused = (tls_).start(__VA_ARGS__); \
    if (!refused.empty()) SKIP(refused.c_str());           \
  } while (false)

}  // namespace test
