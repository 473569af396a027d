// A test harness in one header. TEST(name) registers itself; a failed CHECK is reported with its
// place and ends that test; main() in main.cc runs them all.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace check {

using Function = void (*)();

struct Registration {
  Registration(const char* name, Function function);
};

// Reports a failure of the running test.
void fail(const char* file, int line, const std::string& what);
void skip(const std::string& reason);

template <typename T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_enum_v<T>) {
    out << static_cast<long long>(value);
  } else if constexpr (std::is_same_v<T, unsigned char> || std::is_same_v<T, signed char> ||
                       std::is_same_v<T, char>) {
    out << static_cast<int>(value);
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    out << '"' << std::string_view(value) << '"';
  } else if constexpr (requires { out << value; }) {
    out << value;
  } else {
    out << "(a value)";
  }
  return out.str();
}

template <typename A, typename B>
bool equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, bool> &&
                !std::is_same_v<B, bool>) {
    using Common = std::common_type_t<A, B>;
    const bool sameSign = (a < A{}) == (b < B{});
    return sameSign && static_cast<Common>(a) == static_cast<Common>(b);
  } else {
    return a == b;
  }
}

}  // namespace check

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)

#define TEST(name)                                                                                \
  static void CHECK_JOIN(test_, name)();                                                          \
  static const ::check::Registration CHECK_JOIN(register_, name)(#name, CHECK_JOIN(test_, name)); \
  static void CHECK_JOIN(test_, name)()

// Both return from the function that they stand in when they fail: write them in functions that
// return void.
#define CHECK(condition)                             \
  do {                                               \
    if (!(condition)) {                              \
      ::check::fail(__FILE__, __LINE__, #condition); \
      return;                                        \
    }                                                \
  } while (false)

// Leaves the test, which then counts as skipped: for what this machine cannot do.
#define SKIP(reason)       \
  do {                     \
    ::check::skip(reason); \
    return;                \
  } while (false)

#define CHECK_EQ(actual, expected)                                                             \
  do {                                                                                         \
    const auto& check_actual = (actual);                                                       \
    const auto& check_expected = (expected);                                                   \
    if (!::check::equal(check_actual, check_expected)) {                                       \
      ::check::fail(__FILE__, __LINE__,                                                        \
                    std::string(#actual " == " #expected ": ") + ::check::show(check_actual) + \
                        " and " + ::check::show(check_expected));                              \
      return;                                                                                  \
    }                                                                                          \
  } while (false)
