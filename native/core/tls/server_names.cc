#include "server_names.h"

#include "openssl.h"

namespace ringpoll::tls {

std::string normalName(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  std::string normal(name);
  for (char& letter : normal) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  }
  return normal;
}

// RFC 6066, section 3: the length of the list, and of each name its type and its length. Clients
// send one name.
std::string serverNameOf(const unsigned char* extension, size_t length) {
  constexpr size_t kHeadBytes = 5;
  if (length < kHeadBytes) return {};
  const size_t listBytes = static_cast<size_t>(extension[0]) << 8 | extension[1];
  const size_t nameBytes = static_cast<size_t>(extension[3]) << 8 | extension[4];
  const bool whole = listBytes + 2 == length && nameBytes + kHeadBytes <= length;
  if (!whole || extension[2] != OpenSsl::kHostName || nameBytes == 0) return {};
  const std::string_view name(reinterpret_cast<const char*>(extension) + kHeadBytes, nameBytes);
  if (nameBytes > kServerNameBytesMax + 1 || name.find('\0') != name.npos) return {};
  return normalName(name);
}

void ServerNames::add(std::string_view name, std::shared_ptr<const Context> context) {
  const std::string normal = normalName(name);
  if (normal.starts_with("*.")) {
    wildcards_.insert_or_assign(normal.substr(2), std::move(context));
  } else {
    exact_.insert_or_assign(normal, std::move(context));
  }
}

const std::shared_ptr<const Context>* ServerNames::find(std::string_view name) const {
  const auto exact = exact_.find(std::string(name));
  if (exact != exact_.end()) return &exact->second;
  const size_t dot = name.find('.');
  if (dot == name.npos || dot == 0) return nullptr;
  const auto wildcard = wildcards_.find(std::string(name.substr(dot + 1)));
  return wildcard == wildcards_.end() ? nullptr : &wildcard->second;
}

}  // namespace ringpoll::tls
