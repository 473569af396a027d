// Records of TLS 1.3 that are our own, behind OpenSSL's handshake.
#include "core/tls/records.h"

#include <cstring>
#include <string>

#include "tls_real.h"

namespace {

using namespace test;
using tls::Progress;
using tls::RecordCipher;

struct Memory final : tls::WireOutput {
  bool write(const uint8_t* bytes, size_t length) override {
    sent.append(reinterpret_cast<const char*>(bytes), length);
    return true;
  }
  uint8_t* room(size_t bytes) override {
    record.resize(bytes);
    return record.data();
  }
  void commit(size_t bytes) override { write(record.data(), bytes); }
  std::string sent;
  std::vector<uint8_t> record;
};

// A server's records, and a client that sends whatever it likes.
struct Pair {
  Pair() : wire(tls::Wire::make(memory)) {
    std::memset(secrets.client, 1, sizeof secrets.client);
    std::memset(secrets.server, 2, sizeof secrets.server);
    records = tls::Records::make(*wire, suite, secrets, 1);
    up.start(wire->hkdf(), secrets.client, 0);
    down.start(wire->hkdf(), secrets.server, 1);
  }
  std::string sealed(uint8_t type, const std::string& bytes) {
    std::string record(bytes.size() + tls::kRecordOverheadBytes, '\0');
    up.seal(type, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
            reinterpret_cast<uint8_t*>(record.data()));
    return record;
  }
  // What the server makes of it; its plain bytes are added to `plain`.
  Progress give(const std::string& bytes) {
    wire->setInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    while (true) {
      uint8_t room[tls::kRecordRoomBytes];
      size_t got = 0;
      const Progress progress = records->read(room, &got);
      plain.append(reinterpret_cast<char*>(room), got);
      if (progress != Progress::kDone) return progress;
    }
  }
  // What the server has sent first, with its type behind it.
  std::string opened() {
    const auto* head = reinterpret_cast<const uint8_t*>(memory.sent.data());
    const size_t length = static_cast<size_t>(head[3]) << 8 | head[4];
    std::string into(length, '\0');
    size_t got = 0;
    if (!down.open(head, length, reinterpret_cast<uint8_t*>(into.data()), &got)) return "";
    memory.sent.erase(0, tls::kRecordHeadBytes + length);
    return into.substr(0, got);
  }

  const tls::Suite& suite = *tls::suiteOf(0x1301);
  Memory memory;
  std::unique_ptr<tls::Wire> wire;
  tls::TrafficSecrets secrets;
  std::unique_ptr<tls::Records> records;
  RecordCipher up{suite, RecordCipher::Way::kSeals};
  RecordCipher down{suite, RecordCipher::Way::kOpens};
  std::string plain;
};

std::string text(std::initializer_list<int> bytes) {
  std::string made;
  for (int each : bytes) made += static_cast<char>(each);
  return made;
}

const std::string kUpdate = text({24, 0, 0, 1, 0});
const std::string kUpdateAsked = text({24, 0, 0, 1, 1});

}  // namespace

// RFC 8448, section 3: the server's key and IV of the handshake.
TEST(tls_hkdf_expands_as_the_standard_does) {
  NEED_OPENSSL();
  const uint8_t secret[] = {0xb6, 0x7b, 0x7d, 0x69, 0x0c, 0xc1, 0x6c, 0x4e, 0x75, 0xe5, 0x42,
                            0x13, 0xcb, 0x2d, 0x37, 0xb4, 0xe9, 0xc9, 0x12, 0xbc, 0xde, 0xd9,
                            0x10, 0x5d, 0x42, 0xbe, 0xfd, 0x59, 0xd3, 0x91, 0xad, 0x38};
  const uint8_t key[] = {0x3f, 0xce, 0x51, 0x60, 0x09, 0xc2, 0x17, 0x27,
                         0xd0, 0xf2, 0xe4, 0xe8, 0x6e, 0xe4, 0x03, 0xbc};
  const uint8_t iv[] = {0x5d, 0x31, 0x3e, 0xb2, 0x67, 0x12, 0x76, 0xee, 0x13, 0x00, 0x0b, 0x30};
  const tls::Suite& suite = *tls::suiteOf(0x03001301);
  tls::Hkdf hkdf;
  uint8_t made[16];
  CHECK(hkdf.expandLabel(suite, secret, "key", nullptr, 0, made, 16));
  CHECK_EQ(std::memcmp(made, key, 16), 0);
  CHECK(hkdf.expandLabel(suite, secret, "iv", nullptr, 0, made, 12));
  CHECK_EQ(std::memcmp(made, iv, 12), 0);
  std::vector<uint8_t> much(256 * 32);
  CHECK(!hkdf.expandLabel(suite, secret, "key", nullptr, 0, much.data(), much.size()));
  CHECK(!hkdf.expandLabel(suite, secret, std::string(250, 'x'), nullptr, 0, made, 16));
  CHECK(tls::suiteOf(0x1304) == nullptr);
}

TEST(tls_records_are_read_however_they_are_split) {
  NEED_OPENSSL();
  Pair pair;
  std::string wire = pair.sealed(tls::kDataRecord, "first");
  // Padding stands behind the type.
  wire += pair.sealed(0, "second" + text({tls::kDataRecord, 0, 0}));
  wire += pair.sealed(tls::kDataRecord, std::string(tls::kRecordBytesMax, 'x'));
  for (char each : wire) CHECK_EQ(pair.give({each}), Progress::kNeedsBytes);
  CHECK(pair.plain == "firstsecond" + std::string(tls::kRecordBytesMax, 'x'));
  CHECK_EQ(pair.give(pair.sealed(tls::kAlertRecord, text({1, 0}))), Progress::kEnded);
  CHECK(pair.memory.sent.empty());
}

TEST(tls_records_follow_and_answer_key_updates) {
  NEED_OPENSSL();
  Pair pair;
  std::string wire = pair.sealed(tls::kHandshakeRecord, kUpdate.substr(0, 3));
  wire += pair.sealed(tls::kHandshakeRecord, kUpdate.substr(3));
  CHECK(pair.up.update(pair.wire->hkdf()));
  wire += pair.sealed(tls::kHandshakeRecord, kUpdateAsked);
  CHECK(pair.up.update(pair.wire->hkdf()));
  wire += pair.sealed(tls::kDataRecord, "with new keys");
  CHECK_EQ(pair.give(wire), Progress::kNeedsBytes);
  CHECK_EQ(pair.plain, std::string("with new keys"));
  CHECK_EQ(pair.records->takeMessages(), 2u);
  CHECK(pair.opened() == kUpdate + text({tls::kHandshakeRecord}));
  CHECK(pair.down.update(pair.wire->hkdf()));
  const uint8_t byte = 'y';
  CHECK(pair.records->write(&byte, 1));
  CHECK(pair.opened() == "y" + text({tls::kDataRecord}));
}

TEST(tls_records_refuse_what_a_client_must_not_send) {
  NEED_OPENSSL();
  const struct {
    int type;
    std::string bytes;
    int alert;
  } kinds[] = {
      {tls::kHandshakeRecord, text({4, 0, 0, 0}), 10},
      {tls::kHandshakeRecord, text({24, 0, 0, 2, 0, 0}), 50},
      {tls::kHandshakeRecord, text({24, 0, 0, 1, 2}), 47},
      {tls::kHandshakeRecord, kUpdate + kUpdate, 10},
      {tls::kHandshakeRecord, "", 10},
      {tls::kAlertRecord, text({2}), 50},
      {tls::kAlertRecord, text({2, 40, 0}), 50},
      {99, "x", 10},
      {20, text({1}), 10},
      {0, "", 10},
      {tls::kDataRecord, std::string(tls::kRecordBytesMax + 1, 'x'), 22},
  };
  for (const auto& kind : kinds) {
    Pair pair;
    CHECK_EQ(pair.give(pair.sealed(static_cast<uint8_t>(kind.type), kind.bytes)),
             Progress::kFailed);
    CHECK_EQ(int{pair.records->alert()}, kind.alert);
    CHECK(!pair.records->alertIsPeers());
    CHECK(pair.opened() == text({2, kind.alert, tls::kAlertRecord}));
  }
}

TEST(tls_records_refuse_what_is_no_record) {
  NEED_OPENSSL();
  const struct {
    std::string bytes;
    int alert;
  } kinds[] = {
      {text({20, 3, 3, 0, 1, 1}), 10},     {text({22, 3, 3, 0, 1, 1}), 10},
      {text({21, 3, 3, 0, 2, 2, 40}), 10}, {text({23, 3, 3, 65, 1}), 22},
      {text({23, 3, 3, 0, 0}), 20},        {text({23, 3, 3, 0, 16}) + std::string(16, 'x'), 20},
      {"GET / HTTP/1.1\r\n", 10},
  };
  for (const auto& kind : kinds) {
    Pair pair;
    CHECK_EQ(pair.give(kind.bytes), Progress::kFailed);
    CHECK_EQ(int{pair.records->alert()}, kind.alert);
  }
  // Its number is part of a record: one that comes again is another's.
  Pair pair;
  const std::string once = pair.sealed(tls::kDataRecord, "once");
  CHECK_EQ(pair.give(once + once), Progress::kFailed);
  CHECK_EQ(int{pair.records->alert()}, 20);
  CHECK_EQ(pair.plain, std::string("once"));
}

TEST(tls_records_bound_what_says_nothing) {
  NEED_OPENSSL();
  Pair pair;
  std::string wire;
  for (uint32_t i = 0; i < tls::kEmptyRecordsMax; ++i) wire += pair.sealed(tls::kDataRecord, "");
  CHECK_EQ(pair.give(wire + pair.sealed(tls::kDataRecord, "x")), Progress::kNeedsBytes);
  CHECK_EQ(pair.plain, std::string("x"));

  wire.clear();
  Pair other;
  for (uint32_t i = 0; i <= tls::kEmptyRecordsMax; ++i) wire += other.sealed(tls::kDataRecord, "");
  CHECK_EQ(other.give(wire), Progress::kFailed);

  Pair warned;
  wire.clear();
  for (uint32_t i = 0; i < tls::kWarningsMax; ++i) {
    wire += warned.sealed(tls::kAlertRecord, text({1, 90}));
  }
  CHECK_EQ(warned.give(wire), Progress::kNeedsBytes);
  CHECK_EQ(warned.give(warned.sealed(tls::kAlertRecord, text({1, 90}))), Progress::kFailed);
}

TEST(tls_records_tell_the_peers_alert) {
  NEED_OPENSSL();
  Pair pair;
  CHECK_EQ(pair.give(pair.sealed(tls::kAlertRecord, text({2, 40}))), Progress::kFailed);
  CHECK_EQ(int{pair.records->alert()}, 40);
  CHECK(pair.records->alertIsPeers());
  CHECK(pair.memory.sent.empty());
}

TEST(tls_secrets_are_taken_from_lines_of_a_key_log_alone) {
  NEED_OPENSSL();
  tls::TrafficSecrets secrets;
  const std::string random(64, '0');
  const std::string secret(64, 'a');
  for (const char* line : {"", "EXPORTER_SECRET", "EXPORTER_SECRET xx", "EXPORTER_SECRET 00 0g"}) {
    secrets.take(line);
  }
  CHECK(!secrets.hasExporter);
  secrets.take(("EXPORTER_SECRET " + random + " " + std::string(98, 'a')).c_str());
  CHECK(!secrets.hasExporter);
  for (const char* label :
       {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"}) {
    CHECK(!secrets.whole());
    secrets.take((label + (" " + random) + " " + secret).c_str());
  }
  CHECK(secrets.whole());
  CHECK_EQ(secrets.exporter[31], uint8_t{0xaa});
}

EACH_ENGINE(tls_records_serve_every_suite_and_export_as_openssl_does) {
  NEED_OPENSSL();
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    tls::ContextOptions options = clientOptions(*server.certificate);
    options.ciphersuites = suite;
    const auto client = contextOf(std::move(options));
    TlsPeer peer(*client);
    CHECK(server.secure(peer));
    tls::Session* session = server.filter->sessionOf(*server.real.js->channel(server.notes.last));
    // OpenSSL's object is gone.
    CHECK(session->handle() == nullptr);
    CHECK_EQ(session->version(), tls::OpenSsl::kTls13);
    CHECK_EQ(session->serverName(), std::string_view("localhost"));
    const tls::OpenSsl& api = *tls::openSsl();
    CHECK_EQ(std::string(api.SSL_CIPHER_get_name(session->cipher())), std::string(suite));
    uint8_t ours[100];
    uint8_t theirs[100];
    CHECK(session->exportKeyingMaterial(
        "EXPORTER-test", true, reinterpret_cast<const uint8_t*>("context"), 7, ours, sizeof ours));
    CHECK_EQ(api.SSL_export_keying_material(peer.handle(), theirs, sizeof theirs, "EXPORTER-test",
                                            13, reinterpret_cast<const uint8_t*>("context"), 7, 1),
             1);
    CHECK_EQ(std::memcmp(ours, theirs, sizeof ours), 0);
    const std::string sent = patternOf(100'000, 1);
    peer.write(sent);
    peer.updateKeys(true);
    peer.write(sent);
    CHECK(server.until(peer, [&] { return peer.plain.size() == 2 * sent.size(); }));
    CHECK(peer.plain == sent + sent);
    peer.end();
    CHECK(server.until(peer, [&] { return peer.ended && server.notes.closed == 1; }));
  }
}

EACH_ENGINE(tls_records_are_openssls_where_the_context_says_so) {
  NEED_OPENSSL();
  TlsReal server(engine);
  tls::ContextOptions options = serverOptions(*server.certificate);
  options.ownRecords = false;
  START_TLS_OR_SKIP(server, contextOf(std::move(options)));
  TlsPeer peer(*server.client);
  CHECK(server.secure(peer));
  CHECK(server.filter->sessionOf(*server.real.js->channel(server.notes.last))->handle() != nullptr);
  peer.write("hello");
  peer.updateKeys(true);
  CHECK(server.until(peer, [&] { return peer.plain == "hello"; }));
}
