// What the kernel asks for messages without any engine: the floor that engines stand on.
#include <sys/uio.h>

#include "bench_cases.h"
#include "socket_pair.h"

namespace ringpoll::bench {

namespace {
constexpr int kPieces = 16;
}

Sample sendReceive(uint32_t operations, const Threads&) {
  SocketPair pair;
  if (!pair.open()) return refuse("no socket pair");
  char bytes[kMessageBytes] = {};
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (::send(pair.near(), bytes, sizeof bytes, 0) < 0) return fail("send failed");
    if (::recv(pair.far(), bytes, sizeof bytes, 0) < 0) return fail("receive failed");
  }
  return {watch.elapsedNs(), uint64_t{operations} * kMessageBytes, ""};
}

// Each operation moves 16 pieces; one receive takes them all.
Sample sixteenWrites(uint32_t operations, const Threads&) {
  SocketPair pair;
  if (!pair.open()) return refuse("no socket pair");
  char bytes[kPieces * kMessageBytes] = {};
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    for (int piece = 0; piece < kPieces; ++piece) {
      if (::write(pair.near(), bytes + piece * kMessageBytes, kMessageBytes) < 0) {
        return fail("write failed");
      }
    }
    if (::recv(pair.far(), bytes, sizeof bytes, 0) < 0) return fail("receive failed");
  }
  return {watch.elapsedNs(), uint64_t{operations} * sizeof bytes, ""};
}

Sample oneWritev(uint32_t operations, const Threads&) {
  SocketPair pair;
  if (!pair.open()) return refuse("no socket pair");
  char bytes[kPieces * kMessageBytes] = {};
  iovec vectors[kPieces];
  for (int piece = 0; piece < kPieces; ++piece) {
    vectors[piece] = {bytes + piece * kMessageBytes, kMessageBytes};
  }
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (::writev(pair.near(), vectors, kPieces) < 0) return fail("writev failed");
    if (::recv(pair.far(), bytes, sizeof bytes, 0) < 0) return fail("receive failed");
  }
  return {watch.elapsedNs(), uint64_t{operations} * sizeof bytes, ""};
}

}  // namespace ringpoll::bench
