#include "target.h"

#include "characters.h"
#include "options.h"
#include "record.h"

namespace ringpoll::http {
namespace {

constexpr uint32_t kPortDigitsMax = 5;
constexpr uint32_t kPortMax = 65535;
constexpr uint32_t kHttpPort = 80;
constexpr uint32_t kHttpsPort = 443;
constexpr uint32_t kHttpSchemeLength = 7;

bool isPort(const uint8_t* at, const uint8_t* end) {
  if (end - at > static_cast<int>(kPortDigitsMax)) return false;
  uint32_t port = 0;
  for (; at < end; at++) {
    if (!is(*at, kDigit)) return false;
    port = port * 10 + (*at - '0');
  }
  return port <= kPortMax;
}

// After "[": an IPv6 address as far as its characters go, then "]".
const uint8_t* skipAddressLiteral(const uint8_t* at, const uint8_t* end) {
  const uint8_t* const begin = at;
  while (at < end && (is(*at, kHex) || *at == ':' || *at == '.')) at++;
  return at < end && at > begin && *at == ']' ? at + 1 : nullptr;
}

const uint8_t* skipRegName(const uint8_t* at, const uint8_t* end) {
  for (;;) {
    while (at < end && is(*at, kRegName)) at++;
    if (end - at < 3 || *at != '%' || !is(at[1], kHex) || !is(at[2], kHex)) return at;
    at += 3;
  }
}

// Length of "http://" or "https://" at the start, 0 for anything else.
uint32_t schemeLength(const uint8_t* target, uint32_t length) {
  if (length >= 7 && equalsIgnoringCase(target, 7, "http://")) return kHttpSchemeLength;
  if (length >= 8 && equalsIgnoringCase(target, 8, "https://")) return 8;
  return 0;
}

TargetResult classifyAbsolute(const uint8_t* target, uint32_t length, uint32_t lenient) {
  TargetResult result;
  result.error = HttpError::kTargetForm;
  const uint32_t scheme = schemeLength(target, length);
  if (scheme == 0) return result;
  uint32_t begin = scheme;
  uint32_t end = scheme;
  while (end < length && target[end] != '/' && target[end] != '?' && target[end] != '#') end++;
  if ((lenient & kLenientTarget) != 0) {
    for (uint32_t i = begin; i < end; i++) {
      if (target[i] == '@') begin = i + 1;
    }
  }
  if (begin == end || !isAuthority(target + begin, end - begin)) return result;
  result.error = HttpError::kNone;
  result.form = kFlagTargetAbsolute;
  result.defaultPort = scheme == kHttpSchemeLength ? kHttpPort : kHttpsPort;
  result.authorityOffset = begin;
  result.authorityLength = end - begin;
  return result;
}

// What is no authority, and is let through, is not compared with Host.
TargetResult classifyAuthority(const uint8_t* target, uint32_t length, uint32_t lenient) {
  TargetResult result;
  uint32_t colon = length;
  while (colon > 0 && target[colon - 1] != ':') colon--;
  const bool named = colon > 1 && colon < length && isAuthority(target, length);
  if (!named && (lenient & kLenientConnect) == 0) {
    result.error = HttpError::kTargetForm;
    return result;
  }
  result.form = kFlagTargetAuthority;
  result.authorityLength = named ? length : 0;
  return result;
}

// Takes the port off the end of a well-formed authority.
uint32_t takePort(const uint8_t* authority, uint32_t* length, uint32_t defaultPort) {
  uint32_t digits = *length;
  while (digits > 0 && is(authority[digits - 1], kDigit)) digits--;
  if (digits == 0 || authority[digits - 1] != ':') return defaultPort;
  uint32_t port = 0;
  for (uint32_t i = digits; i < *length; i++) port = port * 10 + (authority[i] - '0');
  const bool empty = digits == *length;
  *length = digits - 1;
  return empty ? defaultPort : port;
}

}  // namespace

bool sameAuthority(const uint8_t* a, uint32_t aLength, const uint8_t* b, uint32_t bLength,
                   uint32_t defaultPort) {
  if (takePort(a, &aLength, defaultPort) != takePort(b, &bLength, defaultPort)) return false;
  if (aLength != bLength) return false;
  for (uint32_t i = 0; i < aLength; i++) {
    if (lowered(a[i]) != lowered(b[i])) return false;
  }
  return true;
}

bool isAuthority(const uint8_t* value, uint32_t length) {
  if (length == 0) return true;
  const uint8_t* const end = value + length;
  const uint8_t* at = *value == '[' ? skipAddressLiteral(value + 1, end) : skipRegName(value, end);
  if (at == end) return true;
  if (at == nullptr || at == value || *at != ':') return false;
  return isPort(at + 1, end);
}

TargetResult classifyTarget(const uint8_t* target, uint32_t length, Method method,
                            uint32_t lenient) {
  if (method == Method::kConnect) return classifyAuthority(target, length, lenient);
  if (*target == '/') return {};
  TargetResult result;
  if (length == 1 && *target == '*' && method == Method::kOptions) {
    result.form = kFlagTargetAsterisk;
    return result;
  }
  return classifyAbsolute(target, length, lenient);
}

}  // namespace ringpoll::http
