// Sessions that are resumed: tickets whose keys servers share, and ids.
#include <atomic>
#include <string>
#include <thread>

#include "check.h"
#include "core/tls/ticket_keys.h"
#include "tls_handshake.h"

namespace {

using namespace test;
using tls::OpenSsl;
using tls::TicketKeys;

TicketKeys::Key keyNumber(uint8_t number) {
  TicketKeys::Key key;
  key.fill(number);
  return key;
}

std::shared_ptr<TicketKeys> keysOf(std::vector<TicketKeys::Key> keys) {
  return std::make_shared<TicketKeys>(std::move(keys));
}

struct Bench {
  Certificate own{{}};

  std::shared_ptr<const tls::Context> server(std::shared_ptr<TicketKeys> keys,
                                             int version = OpenSsl::kTls13, bool tickets = true) {
    tls::ContextOptions options = serverOptions(own);
    options.ticketKeys = std::move(keys);
    options.maxVersion = version;
    options.tickets = tickets;
    return contextOf(std::move(options));
  }
  std::shared_ptr<const tls::Context> client = contextOf(clientOptions(own));

  // A session of the first that the second one resumes, or does not.
  bool resumes(const tls::Context& first, const tls::Context& second) {
    tls::OwnedSession session;
    {
      Handshake handshake(first, *client);
      if (!handshake.run()) return false;
      session = std::move(handshake.clientHooks.session);
    }
    if (session == nullptr) return false;
    Handshake handshake(second, *client, "localhost", session.get());
    return handshake.run() && handshake.reused();
  }
};

}  // namespace

TEST(tls_servers_with_the_same_keys_resume_each_others_sessions) {
  NEED_OPENSSL();
  Bench bench;
  for (const int version : {OpenSsl::kTls12, OpenSsl::kTls13}) {
    const auto one = bench.server(keysOf({keyNumber(1)}), version);
    const auto same = bench.server(keysOf({keyNumber(1)}), version);
    const auto other = bench.server(keysOf({keyNumber(2)}), version);
    CHECK(bench.resumes(*one, *one));
    CHECK(bench.resumes(*one, *same));
    CHECK(!bench.resumes(*one, *other));
  }
}

TEST(tls_servers_of_one_process_share_keys_by_themselves) {
  NEED_OPENSSL();
  Bench bench;
  const auto one = bench.server(nullptr);
  const auto two = bench.server(nullptr);
  CHECK(bench.resumes(*one, *two));
}

TEST(tls_tickets_outlive_a_rotation_while_their_key_is_kept) {
  NEED_OPENSSL();
  Bench bench;
  const auto keys = keysOf({keyNumber(1)});
  const auto server = bench.server(keys);
  tls::OwnedSession session;
  {
    Handshake handshake(*server, *bench.client);
    CHECK(handshake.run());
    session = std::move(handshake.clientHooks.session);
  }
  keys->replace({keyNumber(2), keyNumber(1)});
  {
    Handshake handshake(*server, *bench.client, "localhost", session.get());
    CHECK(handshake.run());
    CHECK(handshake.reused());
    // The new ticket has the new key.
    session = std::move(handshake.clientHooks.session);
    CHECK(session != nullptr);
  }
  keys->replace({keyNumber(3), keyNumber(2)});
  {
    Handshake handshake(*server, *bench.client, "localhost", session.get());
    CHECK(handshake.run());
    CHECK(handshake.reused());
  }
  keys->replace({keyNumber(4)});
  Handshake handshake(*server, *bench.client, "localhost", session.get());
  CHECK(handshake.run());
  CHECK(!handshake.reused());
}

TEST(tls_sessions_are_not_resumed_where_other_certificates_are_served) {
  NEED_OPENSSL();
  Bench bench;
  Bench elsewhere;
  const auto keys = keysOf({keyNumber(1)});
  const auto one = bench.server(keys);
  tls::ContextOptions options = serverOptions(elsewhere.own);
  options.ticketKeys = keys;
  const auto other = contextOf(std::move(options));
  bench.client = contextOf(clientOptions(bench.own, elsewhere.own));
  CHECK(bench.resumes(*one, *one));
  CHECK(!bench.resumes(*one, *other));
  // A server that lets only known clients in does not resume what another one has let in.
  options = serverOptions(bench.own);
  options.ticketKeys = keys;
  options.requestCertificate = true;
  options.rejectUnauthorized = false;
  options.authorities = {bytesOf(bench.own.pem())};
  const auto careful = contextOf(std::move(options));
  CHECK(!bench.resumes(*one, *careful));
  // Unless both are told that they are one.
  const auto told = [&](bool asks) {
    tls::ContextOptions same = serverOptions(bench.own);
    same.ticketKeys = keys;
    same.requestCertificate = asks;
    same.rejectUnauthorized = false;
    same.sessionIdContext = {1, 2, 3};
    return contextOf(std::move(same));
  };
  const auto first = told(false);
  const auto second = told(true);
  CHECK(bench.resumes(*first, *second));
}

TEST(tls_sessions_by_id_need_no_ticket) {
  NEED_OPENSSL();
  Bench bench;
  const auto keys = keysOf({keyNumber(1)});
  const auto one = bench.server(keys, OpenSsl::kTls12, false);
  const auto same = bench.server(keys, OpenSsl::kTls12, false);
  CHECK(bench.resumes(*one, *one));
  CHECK(!bench.resumes(*one, *same));
}

TEST(tls_servers_remember_a_bounded_number_of_sessions) {
  NEED_OPENSSL();
  Bench bench;
  const auto server = bench.server(nullptr, OpenSsl::kTls12, false);
  constexpr int kGetCacheSize = 43;
  CHECK_EQ(tls::openSsl()->SSL_CTX_ctrl(server->handle(), kGetCacheSize, 0, nullptr),
           static_cast<long>(tls::kSessionsMax));
}

TEST(tls_one_handshake_gives_one_ticket) {
  NEED_OPENSSL();
  Bench bench;
  const auto server = bench.server(nullptr);
  struct Counting : tls::SessionHooks {
    void sessionCame(tls::OwnedSession) override { ++count; }
    int count = 0;
  };
  Counting hooks;
  const tls::OpenSsl& ssl = *tls::openSsl();
  Handshake handshake(*server, *bench.client);
  ssl.SSL_set_ex_data(handshake.client(), 0, &hooks);
  CHECK(handshake.run());
  CHECK_EQ(hooks.count, 1);
}

TEST(tls_keys_of_the_process_rotate_and_are_forgotten) {
  NEED_OPENSSL();
  const auto keys = TicketKeys::ofProcess();
  CHECK(keys == TicketKeys::ofProcess());
  constexpr uint64_t kFuture = 1ull << 40;
  TicketKeys::Key first;
  CHECK(keys->first(kFuture, &first));
  TicketKeys::Key again;
  CHECK(keys->first(kFuture + tls::kTicketKeyMs - 1, &again));
  CHECK(first == again);
  bool isFirst = false;
  for (uint64_t hour = 1; hour < tls::kOwnTicketKeys; ++hour) {
    TicketKeys::Key next;
    CHECK(keys->first(kFuture + hour * tls::kTicketKeyMs, &next));
    CHECK(next != first);
    CHECK(keys->find(first.data(), kFuture + hour * tls::kTicketKeyMs, &again, &isFirst));
    CHECK(!isFirst);
    CHECK(again == first);
  }
  CHECK(!keys->find(first.data(), kFuture + tls::kOwnTicketKeys * tls::kTicketKeyMs, &again,
                    &isFirst));
}

TEST(tls_keys_are_used_by_many_threads) {
  NEED_OPENSSL();
  Bench bench;
  const auto keys = keysOf({keyNumber(1)});
  const auto server = bench.server(keys);
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        Handshake handshake(*server, *bench.client);
        if (handshake.run()) ++done;
      }
    });
  }
  for (uint8_t round = 0; round < 50; ++round) keys->replace({keyNumber(round), keyNumber(1)});
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(done.load(), 20);
}
