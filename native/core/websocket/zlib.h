// The zlib that is in the process: Node exports its own, and the core's tests load the system's.
// Nothing is linked; the declarations are those of zlib's stable interface.
#pragma once

#include <cstdint>
#include <string>

namespace ringpoll::websocket {

// zlib's z_stream.
struct ZStream {
  const uint8_t* in = nullptr;
  unsigned inBytes = 0;
  unsigned long inTotal = 0;
  uint8_t* out = nullptr;
  unsigned outBytes = 0;
  unsigned long outTotal = 0;
  const char* message = nullptr;
  void* state = nullptr;
  void* allocate = nullptr;  // null: malloc
  void* release = nullptr;
  void* opaque = nullptr;
  int dataType = 0;
  unsigned long checksum = 0;
  unsigned long reserved = 0;
};

struct Zlib {
  const char* (*version)() = nullptr;
  int (*deflateInit)(ZStream*, int level, int method, int windowBits, int memLevel, int strategy,
                     const char* version, int streamBytes) = nullptr;
  int (*deflate)(ZStream*, int flush) = nullptr;
  int (*deflateReset)(ZStream*) = nullptr;
  int (*deflateEnd)(ZStream*) = nullptr;
  int (*inflateInit)(ZStream*, int windowBits, const char* version, int streamBytes) = nullptr;
  int (*inflate)(ZStream*, int flush) = nullptr;
  int (*inflateReset)(ZStream*) = nullptr;
  int (*inflateEnd)(ZStream*) = nullptr;

  static constexpr int kOk = 0;
  static constexpr int kStreamEnd = 1;
  static constexpr int kBufferError = -5;
  static constexpr int kNoFlush = 0;
  static constexpr int kSyncFlush = 2;
  static constexpr int kMethod = 8;
  static constexpr int kDefaultStrategy = 0;
};

// Looked up once for the process. nullptr: something is missing, and `why` says what.
const Zlib* zlib(std::string* why = nullptr);

}  // namespace ringpoll::websocket
