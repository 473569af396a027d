#include "deflate.h"

#include <algorithm>

#include "close_code.h"
#include "core/base/assert.h"

namespace ringpoll::websocket {

namespace {

// What ends a message that is flushed, and is not sent (RFC 7692, section 7.2.1).
constexpr uint8_t kTail[] = {0x00, 0x00, 0xff, 0xff};
constexpr int kInflateBits = 15;    // reads what was written with any smaller window
constexpr int kDeflateBitsMin = 9;  // zlib has no raw stream of 8; its 9 never looks back 256
constexpr uint32_t kOutRoomMin = 64 * 1024;  // shorter messages lie in one piece

void dropFromEnd(std::vector<ReceivedBytes>* pieces, uint32_t bytes) {
  while (bytes > 0) {
    RP_ASSERT(!pieces->empty());
    const uint32_t taken = std::min(bytes, pieces->back().length);
    pieces->back().length -= taken;
    bytes -= taken;
    if (pieces->back().length == 0 && pieces->size() > 1) pieces->pop_back();
  }
}

}  // namespace

std::unique_ptr<Deflater> Deflater::make(const DeflateParameters& parameters) {
  const Zlib* zlib = websocket::zlib();
  if (zlib == nullptr) return nullptr;
  std::unique_ptr<Deflater> made(new Deflater(*zlib));
  const int bits = std::max<int>(parameters.ownBits, kDeflateBitsMin);
  const int result =
      zlib->deflateInit(&made->stream_, parameters.level, Zlib::kMethod, -bits, parameters.memLevel,
                        Zlib::kDefaultStrategy, zlib->version(), sizeof(ZStream));
  return result == Zlib::kOk ? std::move(made) : nullptr;
}

Deflater::~Deflater() {
  if (stream_.state != nullptr) zlib_.deflateEnd(&stream_);
}

bool Deflater::compress(Arena& arena, ScratchBlock& scratch, const uint8_t* data, size_t length,
                        uint32_t room, bool keepContext, std::vector<ReceivedBytes>* pieces,
                        std::vector<BlockId>* blocks) {
  RP_ASSERT(length > 0 && length <= UINT32_MAX);
  // Most messages fit into one room: what cannot be compressed grows by less than this.
  const auto wanted =
      static_cast<uint32_t>(std::min<size_t>(room + length + length / 8 + 64, kHotBlockBytes));
  ScratchBlock::Room first;
  bool have = scratch.room(wanted, &first);
  if (have) {
    pieces->push_back({first.block, first.offset, room});
    stream_.out = first.at + room;
    stream_.outBytes = wanted - room;
  }
  stream_.in = data;
  stream_.inBytes = static_cast<unsigned>(length);
  bool inScratch = true;
  while (have) {
    const unsigned before = stream_.outBytes;
    const int result = zlib_.deflate(&stream_, Zlib::kSyncFlush);
    pieces->back().length += before - stream_.outBytes;
    if (inScratch) scratch.commit(pieces->back().length);
    // A full room may mean that more waits to be written.
    if (stream_.outBytes > 0) {
      have = (result == Zlib::kOk || result == Zlib::kBufferError) && stream_.inBytes == 0;
      break;
    }
    const BlockId block = arena.lease(kBlockBytesMax);
    have = block != kNoBlock;
    if (!have) break;
    blocks->push_back(block);
    pieces->push_back({block, 0, 0});
    inScratch = false;
    stream_.out = arena.data(block);
    stream_.outBytes = arena.size(block);
  }
  if (!keepContext || !have) zlib_.deflateReset(&stream_);
  if (!have) return false;
  dropFromEnd(pieces, sizeof kTail);
  return true;
}

std::unique_ptr<Inflater> Inflater::make() {
  const Zlib* zlib = websocket::zlib();
  if (zlib == nullptr) return nullptr;
  std::unique_ptr<Inflater> made(new Inflater(*zlib));
  const int result =
      zlib->inflateInit(&made->stream_, -kInflateBits, zlib->version(), sizeof(ZStream));
  return result == Zlib::kOk ? std::move(made) : nullptr;
}

Inflater::~Inflater() {
  if (stream_.state != nullptr) zlib_.inflateEnd(&stream_);
}

uint16_t Inflater::feed(ScratchBlock& scratch, const uint8_t* data, uint32_t length, uint64_t* left,
                        std::vector<ReceivedBytes>* out) {
  stream_.in = data;
  stream_.inBytes = length;
  while (true) {
    if (ended_) {
      if (stream_.inBytes == 0) return 0;
      ended_ = false;
      zlib_.inflateReset(&stream_);
    }
    ScratchBlock::Room room;
    if (!scratch.room(kOutRoomMin, &room)) return kInternalError;
    // One byte more than is allowed, to tell what is too long from what is not.
    const auto most = static_cast<uint32_t>(std::min<uint64_t>(room.bytes, *left + 1));
    stream_.out = room.at;
    stream_.outBytes = most;
    const int result = zlib_.inflate(&stream_, Zlib::kSyncFlush);
    const uint32_t made = most - stream_.outBytes;
    if (made > *left) return kTooBig;
    *left -= made;
    if (made > 0) {
      scratch.commit(made);
      if (!out->empty() && out->back().block == room.block &&
          out->back().offset + out->back().length == room.offset) {
        out->back().length += made;
      } else {
        out->push_back({room.block, room.offset, made});
      }
    }
    if (result == Zlib::kStreamEnd) {
      ended_ = true;
      continue;
    }
    if (result == Zlib::kBufferError || (result == Zlib::kOk && stream_.outBytes > 0)) return 0;
    if (result != Zlib::kOk) return kInvalidText;
  }
}

uint16_t Inflater::inflate(ScratchBlock& scratch, Arena& arena,
                           const std::vector<ReceivedBytes>& pieces, uint64_t bytesMax,
                           bool keepContext, std::vector<ReceivedBytes>* out) {
  uint16_t code = 0;
  uint64_t left = bytesMax;
  for (const ReceivedBytes& piece : pieces) {
    code = feed(scratch, arena.data(piece.block) + piece.offset, piece.length, &left, out);
    if (code != 0) break;
  }
  // Behind a final block, the tail would begin another stream.
  if (code == 0 && !ended_) code = feed(scratch, kTail, sizeof kTail, &left, out);
  if (!keepContext || code != 0) {
    zlib_.inflateReset(&stream_);
    ended_ = false;
  }
  return code;
}

Deflater* SharedStreams::deflater(const DeflateParameters& parameters) {
  for (Entry& entry : deflaters_) {
    if (entry.bits == parameters.ownBits && entry.level == parameters.level &&
        entry.memLevel == parameters.memLevel) {
      return entry.deflater.get();
    }
  }
  std::unique_ptr<Deflater> made = Deflater::make(parameters);
  if (made == nullptr) return nullptr;
  deflaters_.push_back(
      {parameters.ownBits, parameters.level, parameters.memLevel, std::move(made)});
  return deflaters_.back().deflater.get();
}

Inflater* SharedStreams::inflater() {
  if (inflater_ == nullptr) inflater_ = Inflater::make();
  return inflater_.get();
}

}  // namespace ringpoll::websocket
