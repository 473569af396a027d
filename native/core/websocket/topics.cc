#include "topics.h"

#include <algorithm>
#include <cstring>

namespace ringpoll::websocket {

namespace {

// Takes the first level off.
std::string_view takeLevel(std::string_view* rest, bool* more) {
  const size_t slash = rest->find('/');
  const std::string_view level = rest->substr(0, slash);
  *more = slash != std::string_view::npos;
  rest->remove_prefix(*more ? slash + 1 : rest->size());
  return level;
}

}  // namespace

FilterKind filterKind(std::string_view filter) {
  FilterKind kind = FilterKind::kExact;
  bool more = true;
  while (more) {
    const std::string_view level = takeLevel(&filter, &more);
    if (level.find_first_of("+#") == std::string_view::npos) continue;
    if (level.size() > 1 || (level == "#" && more)) return FilterKind::kMalformed;
    kind = FilterKind::kFilter;
  }
  return kind;
}

bool filterMatches(std::string_view filter, std::string_view topic) {
  bool moreFilter = true;
  bool moreTopic = true;
  while (moreFilter) {
    const std::string_view wanted = takeLevel(&filter, &moreFilter);
    if (wanted == "#") return true;  // also the level above it alone
    if (!moreTopic) return false;
    const std::string_view level = takeLevel(&topic, &moreTopic);
    if (wanted != "+" && wanted != level) return false;
  }
  return !moreTopic;
}

std::string Topics::keyOf(uint32_t scope, std::string_view name) {
  std::string key(sizeof scope, '\0');
  std::memcpy(key.data(), &scope, sizeof scope);
  return key.append(name);
}

uint32_t Topics::find(uint32_t scope, std::string_view name) const {
  const auto found = names_.find(keyOf(scope, name));
  return found == names_.end() ? kNone : found->second;
}

uint32_t Topics::add(uint32_t scope, std::string_view name, bool isFilter) {
  uint32_t topic = static_cast<uint32_t>(topics_.size());
  if (free_.empty()) {
    topics_.emplace_back();
  } else {
    topic = free_.back();
    free_.pop_back();
  }
  topics_[topic].key = keyOf(scope, name);
  topics_[topic].isFilter = isFilter;
  names_.emplace(topics_[topic].key, topic);
  if (isFilter) filters_[scope].push_back(topic);
  return topic;
}

void Topics::remove(uint32_t topic) {
  Topic& gone = topics_[topic];
  if (gone.isFilter) {
    uint32_t scope;
    std::memcpy(&scope, gone.key.data(), sizeof scope);
    const auto filters = filters_.find(scope);
    std::erase(filters->second, topic);
    if (filters->second.empty()) filters_.erase(filters);
  }
  names_.erase(gone.key);
  gone = Topic{};
  free_.push_back(topic);
}

Subscribed Topics::subscribe(Channel& channel, Connection& connection, std::string_view name) {
  if (name.empty() || name.size() > kTopicBytesMax) return Subscribed::kBadName;
  const FilterKind kind = connection.settings->wildcards ? filterKind(name) : FilterKind::kExact;
  if (kind == FilterKind::kMalformed) return Subscribed::kBadName;
  if (isSubscribed(channel, connection, name)) return Subscribed::kAlready;
  if (connection.subscriptions == nullptr) {
    connection.subscriptions = std::make_unique<std::vector<Subscription>>();
  }
  std::vector<Subscription>& list = *connection.subscriptions;
  if (list.size() >= kSubscriptionsMax) return Subscribed::kTooMany;
  uint32_t topic = find(channel.endpoint, name);
  if (topic == kNone) {
    const bool isFilter = kind == FilterKind::kFilter;
    const auto filters = filters_.find(channel.endpoint);
    if (isFilter && filters != filters_.end() && filters->second.size() >= kFiltersMax) {
      return Subscribed::kTooMany;
    }
    topic = add(channel.endpoint, name, isFilter);
  }
  std::vector<Member>& members = topics_[topic].members;
  list.push_back({topic, static_cast<uint32_t>(members.size())});
  members.push_back({&channel, &connection, static_cast<uint32_t>(list.size()) - 1});
  return Subscribed::kDone;
}

// Both lists are closed up by their last entry, and the other side of that is told its new place.
void Topics::leave(Connection& connection, size_t place) {
  std::vector<Subscription>& list = *connection.subscriptions;
  const Subscription left = list[place];
  std::vector<Member>& members = topics_[left.topic].members;
  if (left.place + 1 < members.size()) {
    members[left.place] = members.back();
    const Member& moved = members[left.place];
    (*moved.connection->subscriptions)[moved.place].place = left.place;
  }
  members.pop_back();
  if (place + 1 < list.size()) {
    list[place] = list.back();
    topics_[list[place].topic].members[list[place].place].place = static_cast<uint32_t>(place);
  }
  list.pop_back();
  if (members.empty()) remove(left.topic);
}

bool Topics::unsubscribe(Channel& channel, Connection& connection, std::string_view name) {
  if (connection.subscriptions == nullptr) return false;
  const uint32_t topic = find(channel.endpoint, name);
  std::vector<Subscription>& list = *connection.subscriptions;
  for (size_t place = 0; topic != kNone && place < list.size(); ++place) {
    if (list[place].topic != topic) continue;
    leave(connection, place);
    if (list.empty()) connection.subscriptions.reset();
    return true;
  }
  return false;
}

bool Topics::isSubscribed(const Channel& channel, const Connection& connection,
                          std::string_view name) const {
  if (connection.subscriptions == nullptr) return false;
  const uint32_t topic = find(channel.endpoint, name);
  return topic != kNone &&
         std::any_of(connection.subscriptions->begin(), connection.subscriptions->end(),
                     [topic](const Subscription& each) { return each.topic == topic; });
}

void Topics::leaveAll(Connection& connection) {
  if (connection.subscriptions == nullptr) return;
  while (!connection.subscriptions->empty()) {
    leave(connection, connection.subscriptions->size() - 1);
  }
  connection.subscriptions.reset();
}

uint32_t Topics::subscribers(uint32_t scope, std::string_view name) const {
  const uint32_t topic = find(scope, name);
  return topic == kNone ? 0 : static_cast<uint32_t>(topics_[topic].members.size());
}

}  // namespace ringpoll::websocket
