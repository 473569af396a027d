// The system's OpenSSL, for tests of TLS.
#pragma once

#include <dlfcn.h>

#include "core/tls/openssl.h"

#define NEED_OPENSSL() \
  if (!test::loadOpenSsl()) SKIP("no libssl.so.3 to load")

namespace test {

// nullptr: there is none.
inline void* systemOpenSsl() {
  static void* const library = [] {
    for (const char* name : {"libssl.so.3", "libssl.3.dylib"}) {
      void* found = ::dlopen(name, RTLD_NOW | RTLD_GLOBAL);
      if (found != nullptr) return found;
    }
    return static_cast<void*>(nullptr);
  }();
  return library;
}

inline void* systemSymbol(const char* name) { return ::dlsym(systemOpenSsl(), name); }

inline bool loadOpenSsl() {
  return systemOpenSsl() != nullptr && ringpoll::tls::openSsl() != nullptr;
}

}  // namespace test
