// A histogram with buckets of constant relative width: values below 64 ns have a bucket each, and
// every further power of two is cut into 64.
#include "load.h"

enum { SUB_BITS = 6, SUB_COUNT = 1 << SUB_BITS };

static unsigned bucket_of(uint64_t ns) {
  if (ns < SUB_COUNT) return (unsigned)ns;
  unsigned exponent = 63 - (unsigned)__builtin_clzll(ns);  // at least SUB_BITS
  unsigned sub = (unsigned)(ns >> (exponent - SUB_BITS)) - SUB_COUNT;
  unsigned bucket = (exponent - SUB_BITS + 1) * SUB_COUNT + sub;
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static double middle_of(unsigned bucket) {
  if (bucket < SUB_COUNT) return bucket;
  unsigned shift = bucket / SUB_COUNT - 1;
  double low = (double)(((uint64_t)SUB_COUNT + bucket % SUB_COUNT) << shift);
  return low + (double)(1ULL << shift) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t ns) {
  histogram->buckets[bucket_of(ns)]++;
  histogram->count++;
  if (ns > histogram->max) histogram->max = ns;
}

double histogram_percentile_us(const struct histogram *histogram, double percentile) {
  if (histogram->count == 0) return 0;
  uint64_t rank = (uint64_t)((double)histogram->count * percentile / 100);
  if (rank >= histogram->count) rank = histogram->count - 1;
  uint64_t seen = 0;
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += histogram->buckets[i];
    if (seen <= rank) continue;
    double middle = middle_of(i);
    return (middle < (double)histogram->max ? middle : (double)histogram->max) / 1000;
  }
  return (double)histogram->max / 1000;
}
