// The last turns of a thread in a file that is mapped: it is there after the process has ended in
// whatever way, and another process may read it meanwhile. lib/admin/flight_file.ts writes the head
// and reads all of it.
//
// Words are little-endian, 64 bits each. A row is whole when its first and its last word are the
// number of its turn, from 1 on. Its last word is written first, and its first word last: a reader
// who copies upwards finds out when it was overtaken.
#pragma once

#include <cstdint>

namespace ringpoll {

inline constexpr uint32_t kFlightHeadWords = 32;
inline constexpr uint32_t kFlightRowWords = 8;
inline constexpr uint32_t kFlightRowsMax = 1U << 20;

enum FlightHeadWord : uint32_t {
  // The first words are JavaScript's: what the file is.
  kFlightWritten = 8,      // rows so far
  kFlightPhase = 9,        // what the thread does: FlightPhase
  kFlightPhaseSince = 10,  // nanoseconds of the monotonic clock
};

// In the order of FLIGHT_PHASES in lib/admin/flight_file.ts.
enum class FlightPhase : uint64_t { kHost, kSending, kWaiting, kReceiving, kJavaScript };

struct FlightTurn {
  uint64_t start = 0;   // the wait ended
  uint64_t ready = 0;   // JavaScript was called; 0: it was not
  uint64_t walked = 0;  // it returned
  uint64_t end = 0;     // all was sent
  uint64_t waited = 0;  // nanoseconds of the wait before
  uint64_t events = 0;
};

class FlightRing {
 public:
  // `words` must stay: kFlightHeadWords, and kFlightRowWords for each of `rows` rows.
  FlightRing(uint64_t* words, uint32_t rows) : words_(words), rows_(rows) {}

  static uint64_t bytesOf(uint32_t rows) {
    return (kFlightHeadWords + uint64_t{rows} * kFlightRowWords) * sizeof(uint64_t);
  }

  void phase(FlightPhase phase, uint64_t sinceNs) {
    put(kFlightPhaseSince, sinceNs);
    put(kFlightPhase, static_cast<uint64_t>(phase));
  }

  void write(const FlightTurn& turn) {
    const uint64_t number = written_ + 1;
    const uint64_t at = kFlightHeadWords + (written_ % rows_) * kFlightRowWords;
    put(at + kFlightRowWords - 1, number);
    put(at + 1, turn.start);
    put(at + 2, turn.ready);
    put(at + 3, turn.walked);
    put(at + 4, turn.end);
    put(at + 5, turn.waited);
    put(at + 6, turn.events);
    put(at, number);
    written_ = number;
    put(kFlightWritten, number);
  }

 private:
  // In this order for other processes too.
  void put(uint64_t at, uint64_t value) { __atomic_store_n(words_ + at, value, __ATOMIC_RELEASE); }

  uint64_t* const words_;
  const uint32_t rows_;
  uint64_t written_ = 0;
};

}  // namespace ringpoll
