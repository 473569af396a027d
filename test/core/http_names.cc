// Methods, header names and errors by number.
#include <set>
#include <string>

#include "check.h"
#include "core/http/parser/errors.h"
#include "core/http/parser/header_names.h"
#include "core/http/parser/methods.h"

namespace {

using namespace ringpoll::http;

uint32_t find(std::string_view name) {
  // A copy of its own, so that a sanitizer sees a read outside of the name.
  const std::string copy(name);
  return findHeader(reinterpret_cast<const uint8_t*>(copy.data()),
                    static_cast<uint32_t>(copy.size()));
}

TEST(http_header_names_are_found_in_any_case) {
  for (uint32_t id = 1; id < kHeaderCount; id++) {
    std::string name(kHeaderNames[id]);
    CHECK_EQ(find(name), id);
    for (size_t i = 0; i < name.size(); i += 2) {
      if (name[i] >= 'a' && name[i] <= 'z') name[i] = static_cast<char>(name[i] - 32);
    }
    CHECK_EQ(find(name), id);
  }
}

TEST(http_header_names_with_one_byte_changed_are_unknown) {
  for (uint32_t id = 1; id < kHeaderCount; id++) {
    for (size_t i = 0; i < kHeaderNames[id].size(); i++) {
      for (uint32_t byte = 0; byte < 256; byte++) {
        std::string name(kHeaderNames[id]);
        const char lower = name[i];
        const char upper = lower >= 'a' && lower <= 'z' ? static_cast<char>(lower - 32) : lower;
        name[i] = static_cast<char>(byte);
        if (name[i] == lower || name[i] == upper) continue;
        CHECK(find(name) != id);
      }
    }
  }
}

TEST(http_header_names_longer_or_shorter_are_unknown) {
  for (uint32_t id = 1; id < kHeaderCount; id++) {
    const std::string name(kHeaderNames[id]);
    CHECK(find(name + "s") != id);
    CHECK(find("x" + name) != id);
    CHECK(find(name.substr(1)) != id);
  }
  CHECK_EQ(find(""), uint32_t{kHeaderUnknown});
  CHECK_EQ(find(std::string(300, 'a')), uint32_t{kHeaderUnknown});
}

TEST(http_methods_are_found_by_their_exact_name) {
  for (uint32_t i = 1; i < static_cast<uint32_t>(Method::kCount); i++) {
    const std::string name(methodName(static_cast<Method>(i)));
    const auto* bytes = reinterpret_cast<const uint8_t*>(name.data());
    CHECK_EQ(findMethod(bytes, static_cast<uint32_t>(name.size())), static_cast<Method>(i));
    CHECK_EQ(findMethod(bytes, static_cast<uint32_t>(name.size()) - 1), Method::kUnknown);
  }
  CHECK_EQ(findMethod(reinterpret_cast<const uint8_t*>("get"), 3), Method::kUnknown);
}

TEST(http_errors_have_codes_of_their_own_and_a_status) {
  const std::set<int> statuses = {400, 408, 411, 413, 414, 417, 431, 501, 505};
  std::set<std::string> codes;
  for (uint32_t i = 1; i < static_cast<uint32_t>(HttpError::kCount); i++) {
    const ErrorEntry& entry = describe(static_cast<HttpError>(i));
    CHECK(std::string_view(entry.code).starts_with("ERR_RINGPOLL_HTTP_"));
    CHECK(codes.insert(entry.code).second);
    CHECK(statuses.contains(entry.status));
  }
}

}  // namespace
