#include "zlib.h"

#include "core/system/process_symbols.h"

namespace ringpoll::websocket {

namespace {

struct Found {
  Zlib table;
  std::string missing;

  Found() {
    take("zlibVersion", &table.version);
    take("deflateInit2_", &table.deflateInit);
    take("deflate", &table.deflate);
    take("deflateReset", &table.deflateReset);
    take("deflateEnd", &table.deflateEnd);
    take("inflateInit2_", &table.inflateInit);
    take("inflate", &table.inflate);
    take("inflateReset", &table.inflateReset);
    take("inflateEnd", &table.inflateEnd);
    // The layout of z_stream is the same in all versions 1.
    if (missing.empty() && table.version()[0] != '1') missing = "a zlib of version 1";
  }

  template <typename Function>
  void take(const char* name, Function* function) {
    *function = reinterpret_cast<Function>(processSymbol(name));
    if (*function == nullptr && missing.empty()) missing = name;
  }
};

}  // namespace

const Zlib* zlib(std::string* why) {
  static const Found found;
  if (found.missing.empty()) return &found.table;
  if (why != nullptr) *why = "this process does not export " + found.missing;
  return nullptr;
}

}  // namespace ringpoll::websocket
