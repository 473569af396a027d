// Which context serves which name: exact names first, then `*.` for one label. Names are compared
// in lower case, as ASCII; a dot at the end counts for nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ringpoll::tls {

class Context;

inline constexpr size_t kServerNameBytesMax = 253;

// The name of a ClientHello's extension in lower case. Empty: there is none, or it is no name.
std::string serverNameOf(const unsigned char* extension, size_t length);

// In lower case, without a dot at its end.
std::string normalName(std::string_view name);

class ServerNames {
 public:
  void add(std::string_view name, std::shared_ptr<const Context> context);
  // `name` is a normal one. null: nobody serves it.
  const std::shared_ptr<const Context>* find(std::string_view name) const;
  bool empty() const { return exact_.empty() && wildcards_.empty(); }

 private:
  using Map = std::unordered_map<std::string, std::shared_ptr<const Context>>;

  Map exact_;
  Map wildcards_;  // by what follows `*.`
};

}  // namespace ringpoll::tls
