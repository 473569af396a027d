// Topics: who is subscribed, filters, and what is published to whom.
#include "core/websocket/topics.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "random.h"
#include "websocket_fixture.h"

namespace {

using namespace test;
using ws::Subscribed;

TEST(websocket_filters_match_levels) {
  const struct {
    const char* filter;
    const char* topic;
    bool matches;
  } kCases[] = {
      {"a/b", "a/b", true},       {"a/+", "a/b", true},   {"a/+", "a/b/c", false},
      {"a/+/c", "a/b/c", true},   {"a/#", "a/b/c", true}, {"a/#", "a", true},
      {"#", "anything/at", true}, {"+", "a", true},       {"+", "a/b", false},
      {"+/b", "a/b", true},       {"a/+", "a/", true},    {"a/+", "a", false},
      {"a", "b", false},          {"a/b", "a/c", false},  {"+/+", "/", true},
  };
  for (const auto& each : kCases) {
    CHECK_EQ(std::string(each.filter) + " " + each.topic +
                 (ws::filterMatches(each.filter, each.topic) ? " yes" : " no"),
             std::string(each.filter) + " " + each.topic + (each.matches ? " yes" : " no"));
  }
  CHECK(ws::filterKind("a/b") == ws::FilterKind::kExact);
  CHECK(ws::filterKind("a/+") == ws::FilterKind::kFilter);
  CHECK(ws::filterKind("#") == ws::FilterKind::kFilter);
  for (const char* bad : {"a/#/b", "a+", "a/b#", "##"}) {
    CHECK(ws::filterKind(bad) == ws::FilterKind::kMalformed);
  }
}

// Against sets: whoever comes and goes, in any order.
TEST(websocket_random_subscriptions_are_those_of_a_model) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    ws::Settings settings;
    settings.wildcards = true;
    std::vector<Channel> channels(12);
    std::vector<ws::Connection> connections;
    connections.reserve(channels.size());
    for (uint32_t i = 0; i < channels.size(); ++i) {
      channels[i].slot = i;
      channels[i].endpoint = i % 2;
      connections.emplace_back(settings);
    }
    ws::Topics topics;
    std::map<std::pair<uint32_t, std::string>, std::set<uint32_t>> model;
    static const char* const kNames[] = {"a", "b", "a/b", "a/+", "#", "a/b/c"};
    for (int step = 0; step < 400; ++step) {
      const auto who = static_cast<uint32_t>(random.below(channels.size()));
      const std::string name = kNames[random.below(std::size(kNames))];
      const std::pair<uint32_t, std::string> key{channels[who].endpoint, name};
      switch (random.below(5)) {
        case 0:
        case 1: {
          const Subscribed got = topics.subscribe(channels[who], connections[who], name);
          CHECK(got == (model[key].insert(who).second ? Subscribed::kDone : Subscribed::kAlready));
          break;
        }
        case 2:
          CHECK_EQ(topics.unsubscribe(channels[who], connections[who], name),
                   model[key].erase(who) == 1);
          break;
        case 3:
          if (random.oneIn(3)) {
            topics.leaveAll(connections[who]);
            for (auto& [of, members] : model) members.erase(who);
          }
          break;
        default: {
          const uint32_t scope = channels[who].endpoint;
          std::set<uint32_t> expected;
          for (const auto& [of, members] : model) {
            if (of.first != scope || !ws::filterMatches(of.second, name)) continue;
            // A name with wildcards in it is a filter, and nobody publishes to it.
            expected.insert(members.begin(), members.end());
          }
          std::set<uint32_t> got;
          if (ws::filterKind(name) == ws::FilterKind::kExact) {
            topics.forEachMember(scope, name, [&](Channel& each) { got.insert(each.slot); });
            CHECK(got == expected);
          }
          break;
        }
      }
      CHECK_EQ(topics.subscribers(key.first, name), model[key].size());
      CHECK_EQ(topics.isSubscribed(channels[who], connections[who], name),
               model[key].contains(who));
    }
    for (ws::Connection& connection : connections) topics.leaveAll(connection);
    CHECK_EQ(topics.count(), 0u);
  }
}

TEST(websocket_subscriptions_are_bounded) {
  ws::Settings settings;
  settings.wildcards = true;
  Channel channel;
  ws::Connection connection(settings);
  ws::Topics topics;
  CHECK(topics.subscribe(channel, connection, "") == Subscribed::kBadName);
  CHECK(topics.subscribe(channel, connection, std::string(ws::kTopicBytesMax + 1, 'x')) ==
        Subscribed::kBadName);
  CHECK(topics.subscribe(channel, connection, "a/#/b") == Subscribed::kBadName);
  for (uint32_t i = 0; i < ws::kSubscriptionsMax; ++i) {
    CHECK(topics.subscribe(channel, connection, "filter/" + std::to_string(i) + "/+") ==
          Subscribed::kDone);
  }
  CHECK(topics.subscribe(channel, connection, "one more") == Subscribed::kTooMany);
  ws::Connection other(settings);
  CHECK(topics.subscribe(channel, other, "another/+") == Subscribed::kTooMany);
  CHECK(topics.subscribe(channel, other, "filter/7/+") == Subscribed::kDone);
  CHECK(topics.subscribe(channel, other, "exact") == Subscribed::kDone);
  topics.leaveAll(other);
  topics.leaveAll(connection);
}

struct Fan {
  explicit Fan(RealEngine engine) : server(engine) {}

  void join(size_t count, const std::string& topic) {
    for (size_t i = 0; i < count; ++i) {
      peers.emplace_back();
      names.push_back(server.accept(peers.back()));
      server.protocol->subscribe(server.channel(names.back()), topic);
    }
  }
  uint32_t publish(const std::string& topic, const std::string& message, bool compress = false,
                   Token except = makeToken(UINT32_MAX, kGenerationMask)) {
    return server.protocol->publish(server.real.endpoint, topic,
                                    reinterpret_cast<const uint8_t*>(message.data()),
                                    message.size(), ws::Opcode::kText, compress, except);
  }
  const ws::Counters& counters() { return server.protocol->counters(); }

  WsReal server;
  std::vector<Peer> peers;
  std::vector<Name> names;
};

EACH_ENGINE(websocket_publish_reaches_every_subscriber_once) {
  Fan fan(engine);
  fan.server.settings.wildcards = true;
  START_OR_SKIP(fan.server);
  fan.join(100, "news/world");
  fan.server.protocol->subscribe(fan.server.channel(fan.names[0]), "news/+");
  fan.server.protocol->subscribe(fan.server.channel(fan.names[0]), "#");
  const Name sender = fan.names[99];
  std::string expected;
  for (const size_t length : {20, 5000, 600'000}) {
    const std::string message(length, 'm');
    CHECK_EQ(fan.publish("news/world", message, false, makeToken(sender.slot, sender.generation)),
             99u);
    expected += frameOf(1, message, true, false);
  }
  CHECK_EQ(fan.publish("news", "to nobody but #"), 1u);
  for (size_t i = 1; i < 99; ++i) {
    CHECK(fan.server.readAll(fan.peers[i], expected.size()) == expected);
  }
  const std::string first = expected + frameOf(1, "to nobody but #", true, false);
  CHECK(fan.server.readAll(fan.peers[0], first.size()) == first);
  fan.server.real.js->turn();
  CHECK(fan.peers[99].read().empty());
  CHECK_EQ(fan.counters().deliveries, 3u * 99 + 1);
  // What was shared is given back when the last has sent it.
  for (int i = 0; i < 3; ++i) fan.server.real.js->turn();
  CHECK(fan.server.real.js->loop.arenaStats().outstanding < 140);
}

EACH_ENGINE(websocket_publish_while_subscribers_leave) {
  Fan fan(engine);
  START_OR_SKIP(fan.server);
  fan.join(50, "t");
  Random random(3);
  uint32_t left = 50;
  for (size_t i = 0; i < 50; ++i) {
    fan.publish("t", "message " + std::to_string(i));
    if (i % 3 == 0) fan.peers[i].reset();
    if (i % 3 == 1) {
      CHECK(fan.server.protocol->unsubscribe(fan.server.channel(fan.names[i]), "t"));
    }
    if (i % 3 == 2) fan.peers[i].write(closeFrame(1000));
    fan.server.real.js->turn();
    --left;
  }
  CHECK(fan.server.until(
      [&] { return fan.server.protocol->subscribers(fan.server.real.endpoint, "t") == left; }));
  CHECK_EQ(fan.publish("t", "nobody is there"), 0u);
}

EACH_ENGINE(websocket_slow_subscriber_is_treated_by_its_policy) {
  for (const ws::SlowPolicy policy :
       {ws::SlowPolicy::kDrop, ws::SlowPolicy::kClose, ws::SlowPolicy::kWait}) {
    Fan fan(engine);
    fan.server.settings.backpressureBytes = 256 * 1024;
    fan.server.settings.slow = policy;
    START_OR_SKIP(fan.server);
    fan.peers.emplace_back();
    fan.peers.back().open();
    fan.peers.back().setBuffers(4096);
    fan.names.push_back(fan.server.accept(fan.peers.back()));
    const Name slow = fan.names.back();
    fan.server.protocol->subscribe(fan.server.channel(slow), "t");
    fan.join(1, "t");
    const std::string frame = frameOf(1, std::string(20'000, 'x'), true, false);
    constexpr uint32_t kCount = 600;  // 12 MB: more than any socket takes
    size_t got = 0;
    double most = 0;
    for (uint32_t i = 0; i < kCount; ++i) {
      fan.publish("t", std::string(20'000, 'x'));
      fan.server.real.js->turn();
      got += fan.peers[1].read().size();
      most = std::max(most, fan.server.real.js->host.pending[slow.slot]);
    }
    // Who reads misses nothing, whatever another does.
    CHECK(fan.server.until(
        [&] { return (got += fan.peers[1].read().size()) == kCount * frame.size(); }));
    if (policy == ws::SlowPolicy::kDrop) {
      CHECK(fan.counters().dropped > 0);
      CHECK(most <= 256 * 1024);
      CHECK_EQ(fan.server.closed, 0u);
      CHECK_EQ(fan.counters().deliveries + fan.counters().dropped, 2 * kCount);
    } else if (policy == ws::SlowPolicy::kClose) {
      CHECK(fan.server.until([&] { return fan.server.closed == 1; }));
      CHECK_EQ(fan.counters().dropped, 1u);
    } else {
      CHECK_EQ(fan.counters().dropped, 0u);
      CHECK(most > 256 * 1024);
      size_t all = 0;
      CHECK(fan.server.until(
          [&] { return (all += fan.peers[0].read().size()) == kCount * frame.size(); }));
    }
  }
}

}  // namespace
