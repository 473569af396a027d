// permessage-deflate (RFC 7692): one message in, one message out.
//
// By default one compressor serves all connections of the loop: it starts anew with every message
// ("no context takeover"). One of its own makes a connection's similar messages smaller, and costs
// it some hundred kilobytes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/loop/protocol.h"
#include "core/memory/arena.h"
#include "core/memory/scratch_block.h"
#include "settings.h"
#include "zlib.h"

namespace ringpoll::websocket {

class Deflater {
 public:
  // nullptr: no zlib, or no memory.
  static std::unique_ptr<Deflater> make(const DeflateParameters& parameters);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Compresses `data` behind `room` bytes that are left free in the first piece. The pieces lie in
  // `scratch` and in blocks of their own, which `blocks` gets. `keepContext`: the next message may
  // refer to this one. False: no memory; then a kept context is of no use any more.
  bool compress(Arena& arena, ScratchBlock& scratch, const uint8_t* data, size_t length,
                uint32_t room, bool keepContext, std::vector<ReceivedBytes>* pieces,
                std::vector<BlockId>* blocks);

 private:
  explicit Deflater(const Zlib& zlib) : zlib_(zlib) {}

  const Zlib& zlib_;
  ZStream stream_;
};

class Inflater {
 public:
  // nullptr: no zlib, or no memory.
  static std::unique_ptr<Inflater> make();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends the message's bytes in `scratch` to `out`: at most `bytesMax`, and memory for no more
  // than that and one block. 0, or a close code.
  uint16_t inflate(ScratchBlock& scratch, Arena& arena, const std::vector<ReceivedBytes>& pieces,
                   uint64_t bytesMax, bool keepContext, std::vector<ReceivedBytes>* out);

 private:
  explicit Inflater(const Zlib& zlib) : zlib_(zlib) {}
  uint16_t feed(ScratchBlock& scratch, const uint8_t* data, uint32_t length, uint64_t* left,
                std::vector<ReceivedBytes>* out);

  const Zlib& zlib_;
  ZStream stream_;
  bool ended_ = false;  // a final block was read: what comes next begins a new stream
};

// The streams that connections share. Made when they are first needed.
class SharedStreams {
 public:
  // nullptr: no memory.
  Deflater* deflater(const DeflateParameters& parameters);
  Inflater* inflater();

 private:
  struct Entry {
    uint8_t bits;
    uint8_t level;
    uint8_t memLevel;
    std::unique_ptr<Deflater> deflater;
  };
  std::vector<Entry> deflaters_;  // at most one for each combination that somebody configures
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace ringpoll::websocket
