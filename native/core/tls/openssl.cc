#include "openssl.h"

#include <cstring>

#include "core/system/process_symbols.h"

namespace ringpoll::tls {

namespace {

constexpr unsigned long kVersionMin = 0x30000000;
constexpr unsigned kUtf8Parameter = 4;
constexpr unsigned kOctetParameter = 5;

// Libraries that have most of OpenSSL's names and another meaning for some of them, each with a
// function that only it has.
struct Relative {
  const char* function;
  const char* name;
};
constexpr Relative kRelatives[] = {
    {"BORINGSSL_self_test", "BoringSSL"},
    {"SSL_CTX_set_early_data_enabled", "BoringSSL"},
    {"tls_config_new", "LibreSSL"},
};

std::string refusalOf(const char* name) {
  return std::string("this process has ") + name +
         ", and not the OpenSSL of Node.js (Electron and Bun carry BoringSSL)";
}

struct Found {
  OpenSsl table;
  std::string why;

  Found() { resolveOpenSsl(processSymbol, &table, &why); }
};

}  // namespace

// Long only by the table. NOLINTNEXTLINE(readability-function-size)
bool resolveOpenSsl(Lookup lookup, OpenSsl* table, std::string* why) {
  for (const Relative& relative : kRelatives) {
    if (lookup(relative.function) == nullptr) continue;
    *why = refusalOf(relative.name);
    return false;
  }
  const char* missing = nullptr;
#define RINGPOLL_TAKE(name, result, arguments)                          \
  table->name = reinterpret_cast<decltype(table->name)>(lookup(#name)); \
  if (table->name == nullptr && missing == nullptr) missing = #name;
  RINGPOLL_OPENSSL(RINGPOLL_TAKE)
#undef RINGPOLL_TAKE
  const char* version = table->OpenSSL_version == nullptr ? "" : table->OpenSSL_version(0);
  if (std::strstr(version, "BoringSSL") != nullptr) {
    *why = refusalOf("BoringSSL");
    return false;
  }
  if (table->OpenSSL_version_num != nullptr && table->OpenSSL_version_num() < kVersionMin) {
    *why = std::string("3.0 is the oldest OpenSSL that will do, and this process has ") + version;
    return false;
  }
  if (missing == nullptr) return true;
  *why = std::string("this process does not export ") + missing;
  return false;
}

const OpenSsl* openSsl(std::string* why) {
  static const Found found;
  if (found.why.empty()) return &found.table;
  if (why != nullptr) *why = found.why;
  return nullptr;
}

std::string OpenSsl::takeReason() const {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? std::string() : std::string(reason);
}

// OpenSSL reads both, and takes pointers that are not const.
Parameter Parameter::text(const char* key, const char* value) {
  return {key, kUtf8Parameter, const_cast<char*>(value), std::strlen(value), SIZE_MAX};
}

Parameter Parameter::octets(const char* key, const void* value, size_t bytes) {
  return {key, kOctetParameter, const_cast<void*>(value), bytes, SIZE_MAX};
}

}  // namespace ringpoll::tls
