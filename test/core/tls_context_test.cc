// What a TLS context is made of, and what it says of what cannot be read.
#include "core/tls/context.h"

#include <string>

#include "check.h"
#include "random.h"
#include "tls_handshake.h"

namespace {

using namespace test;
using tls::ContextFailure;
using tls::OpenSsl;

const char* const kPassphrase = "correct horse";

#define CHECK_FAILS(options, expected, number)                  \
  do {                                                          \
    const tls::ContextError error = errorOf(options);           \
    CHECK_EQ(error.failure, expected);                          \
    CHECK_EQ(error.index, number);                              \
    CHECK(error.reason.find(kPassphrase) == error.reason.npos); \
  } while (false)

}  // namespace

TEST(tls_context_takes_certificates_and_keys_as_pem_and_der) {
  NEED_OPENSSL();
  const Certificate own({.kind = KeyKind::kRsa});
  for (const bool certificateIsDer : {false, true}) {
    for (const bool keyIsDer : {false, true}) {
      for (const std::string passphrase : {"", kPassphrase}) {
        tls::ContextOptions options;
        options.certificates.push_back(bytesOf(certificateIsDer ? own.der() : own.pem()));
        const std::string key = keyIsDer ? own.keyDer(passphrase) : own.keyPem(passphrase);
        options.keys.push_back(passphrase.empty() ? keyOf(key) : keyOf(key, passphrase));
        const auto server = contextOf(std::move(options));
        CHECK(server != nullptr);
        const auto client = contextOf(clientOptions(own));
        Handshake handshake(*server, *client);
        CHECK(handshake.run());
        CHECK(handshake.sees(own));
      }
    }
  }
}

TEST(tls_context_asks_for_the_passphrase_of_a_key_and_tells_a_wrong_one) {
  NEED_OPENSSL();
  const Certificate own({});
  for (const std::string& key : {own.keyPem(kPassphrase), own.keyDer(kPassphrase)}) {
    tls::ContextOptions options;
    options.certificates.push_back(bytesOf(own.pem()));
    options.keys.push_back(keyOf(key));
    CHECK_FAILS(std::move(options), ContextFailure::kPassphraseMissing, 0);
    for (const std::string& wrong :
         {std::string("wrong"), std::string(""), std::string(5000, 'a')}) {
      tls::ContextOptions again;
      again.certificates.push_back(bytesOf(own.pem()));
      again.keys.push_back(keyOf(key, wrong));
      CHECK_FAILS(std::move(again), ContextFailure::kPassphraseWrong, 0);
    }
  }
}

TEST(tls_context_tells_which_key_or_certificate_cannot_be_read) {
  NEED_OPENSSL();
  const Certificate rsa({.kind = KeyKind::kRsa});
  const Certificate ec({});
  tls::ContextOptions options = serverOptions(rsa, ec);
  options.certificates[1] = bytesOf("no certificate");
  CHECK_FAILS(std::move(options), ContextFailure::kCertificate, 1);
  options = serverOptions(rsa, ec);
  options.keys[1] = keyOf(ec.keyPem().substr(0, 90));
  CHECK_FAILS(std::move(options), ContextFailure::kKey, 1);
  // Half-written: the second certificate of a chain breaks off.
  options = serverOptions(rsa, ec);
  options.certificates[0] = bytesOf(rsa.pem() + ec.pem().substr(0, 200));
  CHECK_FAILS(std::move(options), ContextFailure::kCertificate, 0);
  options = serverOptions(rsa, ec);
  options.certificates[0] = tls::Bytes(tls::kCredentialBytesMax + 1, '0');
  CHECK_FAILS(std::move(options), ContextFailure::kCertificate, 0);
}

TEST(tls_context_finds_the_certificate_of_each_key_in_any_order) {
  NEED_OPENSSL();
  const Certificate rsa({.kind = KeyKind::kRsa});
  const Certificate ec({});
  tls::ContextOptions options = serverOptions(rsa, ec);
  std::swap(options.keys[0], options.keys[1]);
  const auto server = contextOf(std::move(options));
  CHECK(server != nullptr);
  for (const Certificate* wanted : {&rsa, &ec}) {
    tls::ContextOptions clients = clientOptions(rsa, ec);
    clients.signatures = wanted == &rsa ? "rsa_pss_rsae_sha256" : "ecdsa_secp256r1_sha256";
    const auto client = contextOf(std::move(clients));
    Handshake handshake(*server, *client);
    CHECK(handshake.run());
    CHECK(handshake.sees(*wanted));
  }
}

TEST(tls_context_tells_keys_and_certificates_that_belong_to_nothing) {
  NEED_OPENSSL();
  const Certificate one({});
  const Certificate other({});
  const Certificate rsa({.kind = KeyKind::kRsa});
  tls::ContextOptions options = serverOptions(one);
  options.keys[0] = keyOf(other.keyPem());
  CHECK_FAILS(std::move(options), ContextFailure::kKeyMismatch, 0);
  options = serverOptions(one, rsa);
  options.keys.pop_back();
  CHECK_FAILS(std::move(options), ContextFailure::kKeyMissing, 1);
  options = serverOptions(one);
  options.keys.push_back(keyOf(rsa.keyPem()));
  CHECK_FAILS(std::move(options), ContextFailure::kCertificateMissing, 1);
  CHECK_FAILS(serverOptions(one, other), ContextFailure::kChainTwice, 1);
}

TEST(tls_context_takes_pfx_with_its_chain) {
  NEED_OPENSSL();
  const Certificate root({.commonName = "root", .names = "", .authority = true});
  const Certificate middle({.commonName = "middle", .names = "", .authority = true}, &root);
  const Certificate own({}, &middle);
  tls::ContextOptions options;
  options.pfx.push_back({tls::Secret(own.pfx(kPassphrase, &middle)), tls::Secret(kPassphrase)});
  const auto server = contextOf(std::move(options));
  CHECK(server != nullptr);
  const auto client = contextOf(clientOptions(root));
  Handshake handshake(*server, *client);
  CHECK(handshake.run());
  CHECK_EQ(handshake.chainLength(), 2);

  tls::ContextOptions wrong;
  wrong.pfx.push_back({tls::Secret(own.pfx(kPassphrase)), tls::Secret("wrong")});
  CHECK_FAILS(std::move(wrong), ContextFailure::kPfxPassphrase, 0);
  tls::ContextOptions missing;
  missing.pfx.push_back({tls::Secret(own.pfx(kPassphrase)), {}});
  CHECK_FAILS(std::move(missing), ContextFailure::kPfxPassphrase, 0);
  tls::ContextOptions garbage;
  garbage.pfx.push_back({tls::Secret("no pfx"), {}});
  CHECK_FAILS(std::move(garbage), ContextFailure::kPfx, 0);
}

TEST(tls_context_completes_a_chain_from_its_authorities_without_the_root) {
  NEED_OPENSSL();
  const Certificate root({.commonName = "root", .names = "", .authority = true});
  const Certificate middle({.commonName = "middle", .names = "", .authority = true}, &root);
  const Certificate own({}, &middle);
  tls::ContextOptions options = serverOptions(own);
  options.authorities = {bytesOf(root.pem()), bytesOf(middle.pem())};
  const auto server = contextOf(std::move(options));
  const auto client = contextOf(clientOptions(root));
  Handshake handshake(*server, *client);
  CHECK(handshake.run());
  CHECK_EQ(handshake.chainLength(), 2);
}

TEST(tls_context_tells_lists_that_name_nothing_known) {
  NEED_OPENSSL();
  const Certificate own({});
  const auto with = [&own](std::string tls::ContextOptions::*member) {
    tls::ContextOptions options = serverOptions(own);
    options.*member = "nonsense";
    return options;
  };
  CHECK_FAILS(with(&tls::ContextOptions::ciphers), ContextFailure::kCiphers, 0);
  CHECK_FAILS(with(&tls::ContextOptions::ciphersuites), ContextFailure::kCiphersuites, 0);
  CHECK_FAILS(with(&tls::ContextOptions::curves), ContextFailure::kCurves, 0);
  CHECK_FAILS(with(&tls::ContextOptions::signatures), ContextFailure::kSignatures, 0);
  tls::ContextOptions options = serverOptions(own);
  options.minVersion = OpenSsl::kTls13;
  options.maxVersion = OpenSsl::kTls12;
  CHECK_FAILS(std::move(options), ContextFailure::kVersions, 0);
  options = serverOptions(own);
  options.authorities = {bytesOf(own.pem()), bytesOf("nothing")};
  CHECK_FAILS(std::move(options), ContextFailure::kAuthority, 1);
  options = serverOptions(own);
  options.crls = {bytesOf("nothing")};
  CHECK_FAILS(std::move(options), ContextFailure::kCrl, 0);
  for (const tls::Bytes& alpn : {tls::Bytes{0}, tls::Bytes{3, 'a'}, tls::Bytes(70000, 1)}) {
    options = serverOptions(own);
    options.alpn = alpn;
    CHECK_FAILS(std::move(options), ContextFailure::kAlpn, 0);
  }
  options = serverOptions(own);
  options.staples = {bytesOf("no staple")};
  CHECK_FAILS(std::move(options), ContextFailure::kStaple, 0);
}

TEST(tls_context_limits_versions_and_ciphers) {
  NEED_OPENSSL();
  const Certificate own({});
  for (const int version : {OpenSsl::kTls12, OpenSsl::kTls13}) {
    tls::ContextOptions options = serverOptions(own);
    options.minVersion = options.maxVersion = version;
    const auto server = contextOf(std::move(options));
    const auto client = contextOf(clientOptions(own));
    Handshake handshake(*server, *client);
    CHECK(handshake.run());
    CHECK_EQ(handshake.version(), version == OpenSsl::kTls12 ? "TLSv1.2" : "TLSv1.3");
  }
  tls::ContextOptions options = serverOptions(own);
  options.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
  const auto server = contextOf(std::move(options));
  const auto client = contextOf(clientOptions(own));
  Handshake handshake(*server, *client);
  CHECK(handshake.run());
  const OpenSsl& ssl = *tls::openSsl();
  CHECK_EQ(std::string(ssl.SSL_CIPHER_get_name(ssl.SSL_get_current_cipher(handshake.client()))),
           "TLS_CHACHA20_POLY1305_SHA256");
}

TEST(tls_context_gives_secrets_to_the_key_log_when_it_is_asked_for) {
  NEED_OPENSSL();
  const Certificate own({});
  const auto server = contextOf(serverOptions(own));
  for (const bool asked : {false, true}) {
    tls::ContextOptions options = clientOptions(own);
    options.keylog = asked;
    const auto client = contextOf(std::move(options));
    Handshake handshake(*server, *client);
    CHECK(handshake.run());
    CHECK_EQ(handshake.clientHooks.lines.empty(), !asked);
  }
}

TEST(tls_context_survives_damaged_certificates_keys_and_lists) {
  NEED_OPENSSL();
  const Certificate own({});
  const std::string texts[] = {own.pem(),    own.der(),       own.keyPem(),
                               own.keyDer(), own.pfx("pass"), own.crlPem({1})};
  Random random(20261126);
  for (int round = 0; round < 1000; ++round) {
    const size_t which = random.below(std::size(texts));
    std::string text = texts[which];
    const size_t changes = 1 + random.below(4);
    for (size_t i = 0; i < changes; ++i) {
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(4) == 0) text.resize(random.below(text.size()));
    tls::ContextOptions options = serverOptions(own);
    if (which < 2) options.certificates[0] = bytesOf(text);
    if (which == 2 || which == 3) options.keys[0] = keyOf(text, "x");
    if (which == 4) options.pfx.push_back({tls::Secret(text), tls::Secret("pass")});
    if (which == 5) options.crls.push_back(bytesOf(text));
    if (round % 5 == 0) options.authorities.push_back(bytesOf(text));
    tls::ContextError error;
    const auto context = tls::Context::make(std::move(options), &error);
    CHECK_EQ(context == nullptr, error.failure != ContextFailure::kNone);
  }
}
