// Both sides of TLS connections in one process, for the fuzzers: sessions of ours over contexts
// that are made once.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/tls/session.h"
#include "core/tls_handshake.h"

namespace test {

inline void demand(bool holds, const char* what, const std::string& detail = "") {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n%s\n", what, detail.c_str());
  std::abort();
}

struct Contexts {
  std::shared_ptr<const tls::Context> plain;
  std::shared_ptr<const tls::Context> requesting;
  std::shared_ptr<const tls::Context> old;  // TLS 1.2
  std::shared_ptr<const tls::Context> client;
};

inline const Contexts& servers() {
  static const Contexts all = [] {
    demand(loadOpenSsl(), "libssl is there");
    static const Certificate own({});
    static const Certificate other({.names = "DNS:*.other.example"});
    const auto with = [](void (*change)(tls::ContextOptions&)) {
      tls::ContextOptions options = serverOptions(own);
      options.serverNames.emplace_back("*.other.example", contextOf(serverOptions(other)));
      options.alpn = bytesOf("\x02h2\x08http/1.1");
      change(options);
      return contextOf(std::move(options));
    };
    return Contexts{
        with([](tls::ContextOptions&) {}),
        with([](tls::ContextOptions& options) {
          options.requestCertificate = true;
          options.ownAuthorities = true;
          options.authorities = {bytesOf(own.pem())};
        }),
        with([](tls::ContextOptions& options) { options.maxVersion = tls::OpenSsl::kTls12; }),
        contextOf(clientOptions(own)),
    };
  }();
  return all;
}

// One side, with what it has sent and read.
class Side final : public tls::WireOutput, public tls::SessionHooks {
 public:
  explicit Side(std::shared_ptr<const tls::Context> context)
      : wire_(tls::Wire::make(*this)), session_(*wire_, std::move(context)) {}

  bool write(const uint8_t* bytes, size_t length) override {
    sent.append(reinterpret_cast<const char*>(bytes), length);
    return true;
  }
  uint8_t* room(size_t bytes) override {
    record_.resize(bytes);
    return record_.data();
  }
  void commit(size_t bytes) override { write(record_.data(), bytes); }
  void secretCame(const char* line) override { session_.secretCame(line); }
  Named serverName(const std::string& name) override {
    names.push_back(name);
    return Named::kGoOn;
  }

  tls::Session& session() { return session_; }
  tls::Progress handshake(std::string_view bytes) {
    give(bytes);
    return session_.handshake();
  }
  // Reads until there are no more plain bytes.
  tls::Progress read(std::string_view bytes) {
    give(bytes);
    uint8_t room[tls::kRecordRoomBytes];
    while (true) {
      size_t got = 0;
      const tls::Progress progress = session_.read(room, sizeof room, &got);
      plain.append(reinterpret_cast<char*>(room), got);
      if (progress != tls::Progress::kDone) return progress;
    }
  }

  std::string sent;
  std::string plain;
  std::vector<std::string> names;

 private:
  void give(std::string_view bytes) {
    wire_->setInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }

  std::vector<uint8_t> record_;
  std::unique_ptr<tls::Wire> wire_;
  tls::Session session_;
};

// A handshake, and the tickets behind it. False: it has failed.
inline bool establish(Side& server, Side& client) {
  if (!server.session().accept(&server)) return false;
  if (!client.session().connect(&client, "localhost", "localhost", nullptr)) return false;
  client.handshake({});
  for (int i = 0; i < 4; ++i) {
    const std::string up = std::exchange(client.sent, {});
    if (server.session().established()) {
      server.read(up);
    } else if (server.handshake(up) == tls::Progress::kFailed) {
      return false;
    }
    const std::string down = std::exchange(server.sent, {});
    if (client.session().established()) {
      client.read(down);
    } else if (client.handshake(down) == tls::Progress::kFailed) {
      return false;
    }
  }
  if (!server.session().established() || !client.session().established()) return false;
  server.session().takeOver();
  return true;
}

}  // namespace test
