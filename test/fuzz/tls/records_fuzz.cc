// Fuzzes the records of an established connection. The input is a list of what somebody on the way
// does to them: change a byte, leave one out, put one in, repeat a piece, stop. What the reader
// gets is always the beginning of what was written, and it gets all of it when nothing was done.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/random.h"
#include "tls_peers.h"

namespace {

using namespace ringpoll;
using namespace test;

constexpr size_t kMessagesMax = 6;
constexpr size_t kMessageBytesMax = 20'000;

// Bytes of the input, as far as there are some.
class Wishes {
 public:
  Wishes(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool more() const { return left_ > 0; }
  uint32_t next() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  size_t below(size_t limit) {
    const size_t number = next() << 16 | next() << 8 | next();
    return limit == 0 ? 0 : number % limit;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

// True: something is different now.
bool tamper(Wishes& wishes, std::string* wire) {
  const std::string before = *wire;
  const size_t at = wishes.below(wire->size());
  switch (wishes.next() % 6) {
    case 0:
      (*wire)[at] = static_cast<char>((*wire)[at] ^ static_cast<char>(wishes.next()));
      break;
    case 1:
      wire->erase(at, 1 + wishes.next());
      break;
    case 2:
      wire->insert(at, 1, static_cast<char>(wishes.next()));
      break;
    case 3:
      wire->insert(at, wire->substr(at, 1 + wishes.below(400)));
      break;
    case 4:
      wire->resize(at);
      break;
    default:
      break;
  }
  return *wire != before;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Wishes wishes(data, size);
  const uint32_t options = wishes.next();
  Side server(options & 1 ? servers().old : servers().plain);
  Side client(servers().client);
  demand(establish(server, client), "a handshake without a stranger is done");
  Side& writer = options & 2 ? server : client;
  Side& reader = options & 2 ? client : server;
  Random random(options);
  std::string plain;
  writer.sent.clear();
  const size_t messages = 1 + wishes.below(kMessagesMax);
  for (size_t i = 0; i < messages; ++i) {
    std::string message(wishes.below(kMessageBytesMax), '\0');
    for (char& each : message) each = static_cast<char>(random.below(256));
    const auto* bytes = reinterpret_cast<const uint8_t*>(message.data());
    demand(writer.session().write(bytes, message.size()), "what is written leaves");
    plain += message;
  }
  const bool ends = (options & 4) != 0;
  if (ends) writer.session().end();
  bool changed = false;
  std::string wire = std::move(writer.sent);
  while (wishes.more() && !wire.empty()) changed = tamper(wishes, &wire) || changed;
  std::string_view left = wire;
  tls::Progress progress = tls::Progress::kNeedsBytes;
  while (!left.empty() && progress == tls::Progress::kNeedsBytes) {
    const std::string_view piece = left.substr(0, static_cast<size_t>(random.between(1, 5000)));
    left.remove_prefix(piece.size());
    progress = reader.read(piece);
  }
  demand(plain.compare(0, reader.plain.size(), reader.plain) == 0, "only what was written is read");
  demand(reader.session().behaves(0) || changed, "an honest peer behaves");
  if (changed) {
    const bool whole = ends && reader.plain == plain;
    demand(progress != tls::Progress::kEnded || whole, "an end tells the truth");
    return 0;
  }
  demand(reader.plain == plain, "all that was written is read");
  demand((progress == tls::Progress::kEnded) == ends, "the end is told, and no other");
  return 0;
}
