// Fuzzes what a server does with the first bytes of a stranger: a ClientHello with its name, or
// anything else. The first byte chooses options. Cut in any way the bytes lead to the same names
// that are asked for and the same end, and nobody gets a connection who does not know a key.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/tls/server_names.h"
#include "tls_peers.h"

namespace {

using namespace ringpoll;
using namespace test;

void demandName(std::string_view input) {
  const std::string name =
      tls::serverNameOf(reinterpret_cast<const unsigned char*>(input.data()), input.size());
  demand(name.size() <= tls::kServerNameBytesMax + 1, "a name is no longer than names may be");
  demand(name.find('\0') == name.npos, "a name has no NUL");
  demand(tls::normalName(name) == name || name.back() == '.', "a name is a normal one");
}

// What the server makes of it: what it was asked for, and how it ended.
std::string told(std::string_view input, bool requests, const std::function<size_t()>& cut) {
  Side server(requests ? servers().requesting : servers().plain);
  server.session().accept(&server);
  tls::Progress progress = tls::Progress::kNeedsBytes;
  while (!input.empty() && progress == tls::Progress::kNeedsBytes) {
    const std::string_view piece = input.substr(0, cut());
    input.remove_prefix(piece.size());
    progress = server.handshake(piece);
  }
  demand(progress != tls::Progress::kDone, "nobody gets in without a key");
  std::string all = "progress " + std::to_string(static_cast<int>(progress));
  for (const std::string& name : server.names) all += "\n" + name;
  if (progress != tls::Progress::kFailed) return all;
  const tls::Failure failure = server.session().takeFailure();
  return all + "\nalert " + std::to_string(failure.alert) + " " + failure.reason;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const bool requests = (data[0] & 1) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  demandName(input);
  const std::string whole = told(input, requests, [] { return SIZE_MAX; });
  Random random(std::hash<std::string_view>{}(input));
  const auto some = [&random] { return static_cast<size_t>(random.between(1, 40)); };
  demand(told(input, requests, some) == whole, "cuts change nothing", whole);
  demand(told(input, requests, [] { return size_t{1}; }) == whole, "byte by byte", whole);
  return 0;
}
