// Who gets what is published. A topic is there while somebody is subscribed to it. Topics belong to
// a scope, which is the endpoint of the connections: two servers of a loop share none.
//
// With wildcards a subscription may be a filter: levels stand between slashes, `+` is any one
// level, and `#` at the end is any number of further ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connection.h"
#include "core/channel/channel.h"

namespace ringpoll::websocket {

inline constexpr uint32_t kTopicBytesMax = 1024;     // of a name
inline constexpr uint32_t kSubscriptionsMax = 1024;  // of one connection
inline constexpr uint32_t kFiltersMax = 1024;        // different ones of one scope

enum class Subscribed : int8_t { kAlready = 0, kDone = 1, kTooMany = -2, kBadName = -3 };

// Whether `filter` has wildcards, and they stand where they may.
enum class FilterKind : uint8_t { kExact, kFilter, kMalformed };
FilterKind filterKind(std::string_view filter);
bool filterMatches(std::string_view filter, std::string_view topic);

class Topics {
 public:
  Subscribed subscribe(Channel& channel, Connection& connection, std::string_view name);
  // False: it was not subscribed.
  bool unsubscribe(Channel& channel, Connection& connection, std::string_view name);
  bool isSubscribed(const Channel& channel, const Connection& connection,
                    std::string_view name) const;
  void leaveAll(Connection& connection);
  uint32_t subscribers(uint32_t scope, std::string_view name) const;

  // Everybody that `name` is for; who is there by several subscriptions, several times.
  template <typename Visit>
  void forEachMember(uint32_t scope, std::string_view name, Visit&& visit) {
    if (const uint32_t topic = find(scope, name); topic != kNone && !topics_[topic].isFilter) {
      for (const Member& member : topics_[topic].members) visit(*member.channel);
    }
    const auto filters = filters_.find(scope);
    if (filters == filters_.end()) return;
    for (const uint32_t topic : filters->second) {
      if (!filterMatches(nameOf(topics_[topic]), name)) continue;
      for (const Member& member : topics_[topic].members) visit(*member.channel);
    }
  }
  uint32_t count() const { return static_cast<uint32_t>(names_.size()); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Member {
    Channel* channel;  // does not move, and leaves before it is closed
    Connection* connection;
    uint32_t place;  // in the connection's list of subscriptions
  };
  struct Topic {
    std::string key;  // scope and name
    bool isFilter = false;
    std::vector<Member> members;
  };

  static std::string keyOf(uint32_t scope, std::string_view name);
  static std::string_view nameOf(const Topic& topic) {
    return std::string_view(topic.key).substr(sizeof(uint32_t));
  }
  uint32_t find(uint32_t scope, std::string_view name) const;
  uint32_t add(uint32_t scope, std::string_view name, bool isFilter);
  void remove(uint32_t topic);
  void leave(Connection& connection, size_t place);

  std::vector<Topic> topics_;
  std::vector<uint32_t> free_;
  std::unordered_map<std::string, uint32_t> names_;
  std::unordered_map<uint32_t, std::vector<uint32_t>> filters_;  // by scope
};

}  // namespace ringpoll::websocket
