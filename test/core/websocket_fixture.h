// A loop that speaks WebSocket on every connection from its first byte, as behind a handshake.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/websocket/protocol.h"
#include "real_fixture.h"
#include "websocket_frames.h"

namespace test {

namespace ws = ringpoll::websocket;

// Node exports zlib's functions; here the system's zlib does. False: there is none.
inline bool loadZlib() {
  static const bool loaded = ::dlopen("libz.so.1", RTLD_NOW | RTLD_GLOBAL) != nullptr ||
                             ::dlopen("libz.dylib", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  return loaded && ws::zlib() != nullptr;
}

struct WsMessage {
  Name name;
  bool text = false;
  std::string bytes;
};

class WsReal {
 public:
  explicit WsReal(RealEngine engine) : real(engine) {}

  std::string start() {
    const std::string refused = real.start();
    if (!refused.empty()) return refused;
    Loop& loop = real.js->loop;
    auto made = std::make_unique<ws::Protocol>(loop.arena(), loop.eventWriter(), loop.transport());
    protocol = made.get();
    loop.addProtocol(std::move(made));
    real.listen();
    real.js->handler = [this](const Event& event) { onEvent(event); };
    return "";
  }

  // Turns until a peer has connected and is spoken to.
  Name accept(Peer& peer) {
    peer.connect(real.port);
    const size_t before = accepted.size();
    real.until([&] { return accepted.size() > before; });
    return accepted.back();
  }

  void send(Name name, const std::string& frame) { real.js->write(name, frame); }
  void echo(const WsMessage& message) {
    send(message.name, frameOf(message.text ? 1 : 2, message.bytes, true, false));
  }
  bool until(const std::function<bool()>& done) { return real.until(done); }
  // What the peer has got, until it is so many bytes or the connection is over.
  std::string readAll(Peer& peer, size_t bytes) {
    std::string got;
    until([&] { return (got += peer.read()).size() >= bytes || peer.ended || peer.error != 0; });
    return got;
  }
  Channel& channel(Name name) { return *real.js->channel(name); }

  Real real;
  ws::Protocol* protocol = nullptr;
  ws::Settings settings;
  std::function<void(const WsMessage&)> onMessage;
  std::vector<Name> accepted;
  std::vector<WsMessage> messages;
  std::vector<std::string> pings;
  std::vector<std::string> pongs;
  std::vector<uint32_t> closings;  // as kWsClosing has them
  std::vector<std::string> reasons;
  uint32_t closed = 0;
  bool mixed = false;  // something stood between the parts of a message

 private:
  void onEvent(const Event& event) {
    if (!part_.empty() && event.name == partOf_ && event.kind != EventKind::kWsPart &&
        event.kind != EventKind::kWsText && event.kind != EventKind::kWsBinary &&
        event.kind != EventKind::kWsFrame) {
      mixed = true;
    }
    switch (event.kind) {
      case EventKind::kOpen:
        protocol->accept(channel(event.name), settings, {}, false, real.js->loop.now());
        accepted.push_back(event.name);
        break;
      case EventKind::kWsPart:
        part_ += real.js->bytesOf(event);
        partOf_ = event.name;
        break;
      case EventKind::kWsText:
      case EventKind::kWsFrame:
      case EventKind::kWsBinary: {
        messages.push_back({event.name, event.kind == EventKind::kWsText,
                            std::exchange(part_, "") + real.js->bytesOf(event)});
        if (onMessage) onMessage(messages.back());
        break;
      }
      case EventKind::kWsPing:
        pings.push_back(real.js->bytesOf(event));
        break;
      case EventKind::kWsPong:
        pongs.push_back(real.js->bytesOf(event));
        break;
      case EventKind::kWsClosing: {
        closings.push_back(static_cast<uint32_t>(event.result));
        std::string reason;
        if (event.length > 0) {
          const uint8_t* slab = real.js->host.slabs.slab(event.aux0);
          reason.assign(reinterpret_cast<const char*>(slab) + event.offset, event.length);
        }
        reasons.push_back(reason);
        break;
      }
      case EventKind::kClose:
        ++closed;
        break;
      default:
        break;
    }
  }

  std::string part_;
  Name partOf_;
};

constexpr uint32_t closing(ringpoll::WsClosingCause cause, uint32_t code) {
  return static_cast<uint32_t>(cause) << 16 | code;
}

}  // namespace test
