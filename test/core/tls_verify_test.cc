// Whom a TLS context believes, and which of its certificates it shows to whom.
#include <string>

#include "check.h"
#include "core/tls/trust.h"
#include "tls_handshake.h"

namespace {

using namespace test;
using tls::OpenSsl;

const CertificateWish kRoot{.commonName = "root", .names = "", .authority = true};

std::string wire(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += static_cast<char>(name.size()) + name;
  return all;
}

}  // namespace

TEST(tls_client_refuses_strangers_wrong_names_and_expired_certificates) {
  NEED_OPENSSL();
  const Certificate root(kRoot);
  const Certificate stranger(kRoot);
  const auto client = contextOf(clientOptions(root));
  const auto refusal = [&client](const Certificate& own, const char* name = "localhost") {
    const auto server = contextOf(serverOptions(own));
    Handshake handshake(*server, *client, name);
    return handshake.run() ? 0 : handshake.clientVerified();
  };
  CHECK_EQ(refusal(Certificate({}, &root)), 0);
  CHECK_EQ(refusal(Certificate({}, &root), "127.0.0.1"), 0);
  CHECK_EQ(refusal(Certificate({}, &root), "other.example"), OpenSsl::kHostnameMismatch);
  CHECK_EQ(refusal(Certificate({}, &root), "127.0.0.2"), OpenSsl::kAddressMismatch);
  CHECK_EQ(refusal(Certificate({.notAfter = -60}, &root)), 10);  // expired
  CHECK_EQ(refusal(Certificate({.notBefore = 600}, &root)), 9);  // not yet valid
  CHECK(refusal(Certificate({}, &stranger)) != 0);
  CHECK_EQ(refusal(Certificate({})), 18);  // self-signed
  const Certificate wildcard({.names = "DNS:*.site.example"}, &root);
  CHECK_EQ(refusal(wildcard, "a.site.example"), 0);
  CHECK_EQ(refusal(wildcard, "a.b.site.example"), OpenSsl::kHostnameMismatch);
}

TEST(tls_client_that_does_not_reject_learns_why_it_would) {
  NEED_OPENSSL();
  const Certificate own({});
  const auto server = contextOf(serverOptions(own));
  tls::ContextOptions options = clientOptions();
  options.rejectUnauthorized = false;
  const auto client = contextOf(std::move(options));
  Handshake handshake(*server, *client);
  CHECK(handshake.run());
  CHECK_EQ(handshake.clientVerified(), 18);
}

TEST(tls_client_refuses_what_a_list_has_revoked) {
  NEED_OPENSSL();
  const Certificate root(kRoot);
  const Certificate good({.serial = 2}, &root);
  const Certificate bad({.serial = 3}, &root);
  tls::ContextOptions options = clientOptions(root);
  options.crls = {bytesOf(root.crlPem({3, 4}))};
  const auto client = contextOf(std::move(options));
  const auto serverOfGood = contextOf(serverOptions(good));
  Handshake first(*serverOfGood, *client);
  CHECK(first.run());
  const auto serverOfBad = contextOf(serverOptions(bad));
  Handshake second(*serverOfBad, *client);
  CHECK(!second.run());
  CHECK_EQ(second.clientVerified(), 23);
  CHECK_EQ(second.clientError, "certificate verify failed");
}

TEST(tls_server_asks_clients_for_certificates) {
  NEED_OPENSSL();
  const Certificate root(kRoot);
  const Certificate own({}, &root);
  const Certificate ofClient({.commonName = "client", .names = ""}, &root);
  const Certificate stranger({.commonName = "stranger", .names = ""});
  for (const int version : {OpenSsl::kTls12, OpenSsl::kTls13}) {
    for (const bool rejects : {true, false}) {
      tls::ContextOptions options = serverOptions(own);
      options.requestCertificate = true;
      options.rejectUnauthorized = rejects;
      options.ownAuthorities = true;
      options.authorities = {bytesOf(root.pem())};
      options.maxVersion = version;
      const auto server = contextOf(std::move(options));
      for (const Certificate* shown : {&ofClient, &stranger, static_cast<const Certificate*>(0)}) {
        tls::ContextOptions clients = clientOptions(root);
        if (shown != nullptr) {
          clients.certificates = {bytesOf(shown->pem())};
          clients.keys.push_back(keyOf(shown->keyPem()));
        }
        const auto client = contextOf(std::move(clients));
        Handshake handshake(*server, *client);
        CHECK_EQ(handshake.run(), shown == &ofClient || !rejects);
        if (shown == &ofClient) CHECK_EQ(handshake.serverVerified(), OpenSsl::kVerified);
        if (shown == &stranger) CHECK(handshake.serverVerified() != OpenSsl::kVerified);
        if (shown == nullptr && rejects) {
          CHECK_EQ(handshake.serverError, "peer did not return a certificate");
        }
      }
    }
  }
}

TEST(tls_server_chooses_the_application_protocol_by_its_own_order) {
  NEED_OPENSSL();
  const Certificate own({});
  tls::ContextOptions options = serverOptions(own);
  options.alpn = bytesOf(wire({"h2", "http/1.1"}));
  const auto server = contextOf(std::move(options));
  const auto chosen = [&](const std::vector<std::string>& offered) {
    tls::ContextOptions clients = clientOptions(own);
    clients.alpn = bytesOf(wire(offered));
    const auto client = contextOf(std::move(clients));
    Handshake handshake(*server, *client);
    return handshake.run() ? handshake.alpn() : handshake.clientError;
  };
  CHECK_EQ(chosen({"http/1.1", "h2"}), "h2");
  CHECK_EQ(chosen({"http/1.1"}), "http/1.1");
  CHECK_EQ(chosen({}), "");
  CHECK_EQ(chosen({"h3", "http/1"}), "tlsv1 alert no application protocol");
}

TEST(tls_server_serves_each_name_with_its_own_certificate) {
  NEED_OPENSSL();
  const Certificate common({.kind = KeyKind::kRsa, .names = "DNS:localhost"});
  const Certificate exact({.names = "DNS:a.example"});
  const Certificate wildcard({.names = "DNS:*.b.example"});
  tls::ContextOptions options = serverOptions(common);
  options.serverNames = {{"A.example", contextOf(serverOptions(exact))},
                         {"*.b.example", contextOf(serverOptions(wildcard))}};
  const auto server = contextOf(std::move(options));
  const auto client = contextOf(clientOptions(common, exact, wildcard));
  const auto seen = [&](const char* name) -> const Certificate* {
    tls::ContextOptions careless = clientOptions();
    careless.rejectUnauthorized = false;
    const auto anyone = contextOf(std::move(careless));
    Handshake handshake(*server, *anyone, name);
    if (!handshake.run()) return nullptr;
    const tls::OpenSsl& ssl = *tls::openSsl();
    if (std::string(ssl.SSL_get_servername(handshake.server(), 0)) != name) return nullptr;
    for (const Certificate* each : {&common, &exact, &wildcard}) {
      if (handshake.sees(*each)) return each;
    }
    return nullptr;
  };
  CHECK(seen("a.example") == &exact);
  CHECK(seen("A.EXAMPLE") == &exact);
  CHECK(seen("x.b.example") == &wildcard);
  CHECK(seen("b.example") == &common);
  CHECK(seen("x.y.b.example") == &common);
  CHECK(seen("localhost") == &common);
  Handshake handshake(*server, *client, "a.example");
  CHECK(handshake.run());
}

TEST(tls_server_keeps_what_each_name_asks_of_clients) {
  NEED_OPENSSL();
  const Certificate root(kRoot);
  const Certificate common({}, &root);
  const Certificate strict({.names = "DNS:strict.example"}, &root);
  tls::ContextOptions inner = serverOptions(strict);
  inner.requestCertificate = true;
  inner.authorities = {bytesOf(root.pem())};
  inner.ownAuthorities = true;
  inner.minVersion = OpenSsl::kTls13;
  tls::ContextOptions options = serverOptions(common);
  options.serverNames = {{"strict.example", contextOf(std::move(inner))}};
  const auto server = contextOf(std::move(options));
  const auto client = contextOf(clientOptions(root));
  Handshake open(*server, *client);
  CHECK(open.run());
  Handshake closed(*server, *client, "strict.example");
  CHECK(!closed.run());
  tls::ContextOptions old = clientOptions(root);
  old.maxVersion = OpenSsl::kTls12;
  const auto oldClient = contextOf(std::move(old));
  Handshake tooOld(*server, *oldClient, "strict.example");
  CHECK(!tooOld.run());
  CHECK_EQ(tooOld.clientError, "tlsv1 alert protocol version");
}

TEST(tls_server_waits_for_the_answer_about_a_name) {
  NEED_OPENSSL();
  using Named = tls::SessionHooks::Named;
  const Certificate common({});
  const Certificate late({.names = "DNS:late.example"});
  for (const int version : {OpenSsl::kTls12, OpenSsl::kTls13}) {
    tls::ContextOptions options = serverOptions(common);
    options.maxVersion = version;
    const auto server = contextOf(std::move(options));
    const auto answer = contextOf(serverOptions(late));
    const auto client = contextOf(clientOptions(late));
    Handshake handshake(*server, *client, "late.example");
    handshake.serverHooks.answer = Named::kWait;
    CHECK(!handshake.run());
    CHECK(handshake.waits());
    CHECK_EQ(handshake.serverHooks.names.front(), "late.example");
    answer->use(handshake.server());
    handshake.serverHooks.answer = Named::kGoOn;
    CHECK(handshake.run());
    CHECK(handshake.sees(late));

    Handshake refused(*server, *client, "late.example");
    refused.serverHooks.answer = Named::kRefuse;
    CHECK(!refused.run());
    CHECK_EQ(refused.clientError, "tlsv1 unrecognized name");
  }
}

TEST(tls_names_in_a_client_hello_are_checked) {
  const auto name = [](const std::string& extension) {
    return tls::serverNameOf(reinterpret_cast<const unsigned char*>(extension.data()),
                             extension.size());
  };
  const auto whole = [](const std::string& host) {
    const auto length = static_cast<char>(host.size());
    return std::string{0, static_cast<char>(host.size() + 3), 0, 0, length} + host;
  };
  CHECK_EQ(name(whole("A.Example")), "a.example");
  CHECK_EQ(name(whole("a.example.")), "a.example");
  CHECK_EQ(name(whole("")), "");
  CHECK_EQ(name(whole(std::string("a\0b", 3))), "");
  CHECK_EQ(name(whole("a.example").substr(0, 9)), "");
  CHECK_EQ(name(""), "");
  std::string otherType = whole("a.example");
  otherType[2] = 1;
  CHECK_EQ(name(otherType), "");
  std::string tooLong = whole("a.example");
  tooLong[4] = 100;
  CHECK_EQ(name(tooLong), "");
}

TEST(tls_server_staples_the_response_of_the_chain_that_it_sends) {
  NEED_OPENSSL();
  const tls::OpenSsl& ssl = *tls::openSsl();
  const Certificate rsa({.kind = KeyKind::kRsa});
  const Certificate ec({});
  tls::ContextOptions options = serverOptions(rsa, ec);
  const std::string staple("\x30\x03\x0a\x01\x06", 5);
  options.staples = {{}, bytesOf(staple)};
  const auto server = contextOf(std::move(options));
  for (const Certificate* wanted : {&rsa, &ec}) {
    tls::ContextOptions clients = clientOptions(rsa, ec);
    clients.signatures = wanted == &rsa ? "rsa_pss_rsae_sha256" : "ecdsa_secp256r1_sha256";
    const auto client = contextOf(std::move(clients));
    Handshake handshake(*server, *client);
    ssl.SSL_ctrl(handshake.client(), OpenSsl::kSetStatusType, OpenSsl::kStatusOcsp, nullptr);
    CHECK(handshake.run());
    const unsigned char* got = nullptr;
    const long length =
        ssl.SSL_ctrl(handshake.client(), OpenSsl::kGetStatusResponse, 0, static_cast<void*>(&got));
    if (wanted == &rsa) {
      CHECK(length <= 0);
    } else {
      CHECK_EQ(std::string(reinterpret_cast<const char*>(got), static_cast<size_t>(length)),
               staple);
    }
  }
}

TEST(tls_roots_are_shared_and_stay_as_they_are) {
  NEED_OPENSSL();
  const Certificate root(kRoot);
  const Certificate other(kRoot);
  const Certificate own({}, &root);
  const auto roots = tls::Roots::of({bytesOf(root.pem()), bytesOf("damaged")});
  CHECK_EQ(roots->size(), 1u);
  CHECK(tls::Roots::of({bytesOf(root.pem()), bytesOf("damaged")}) == roots);
  const auto server = contextOf(serverOptions(own));
  const auto trusting = [&roots](const std::string& crl) {
    tls::ContextOptions options;
    options.role = tls::Role::kClient;
    options.roots = roots;
    if (!crl.empty()) options.crls = {bytesOf(crl)};
    return contextOf(std::move(options));
  };
  // A context with a list of its own has a store of its own.
  const auto strict = trusting(root.crlPem({1}));
  Handshake revoked(*server, *strict);
  CHECK(!revoked.run());
  const auto usual = trusting("");
  Handshake fine(*server, *usual);
  CHECK(fine.run());
  CHECK(tls::openSsl()->SSL_CTX_get_cert_store(usual->handle()) == roots->store());
  // `ca` replaces them.
  tls::ContextOptions own2 = clientOptions(other);
  own2.roots = roots;
  const auto elsewhere = contextOf(std::move(own2));
  Handshake unknown(*server, *elsewhere);
  CHECK(!unknown.run());
}
