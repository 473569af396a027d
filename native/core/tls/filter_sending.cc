// From the bytes of a flush to records.
#include <algorithm>
#include <cstring>

#include "filter.h"

namespace ringpoll::tls {

// What OpenSSL writes from now on is for this connection.
void Filter::writeAs(Channel& channel) {
  writer_ = &channel;
  if (marked_ == channel.token()) return;
  marked_ = channel.token();
  mark_ = encoded_.mark();
}

bool Filter::write(const uint8_t* bytes, size_t length) {
  while (length > 0) {
    const auto piece = static_cast<uint32_t>(std::min<size_t>(length, kHotBlockBytes));
    ScratchBlock::Room room;
    if (!encoded_.room(piece, &room)) return false;
    std::memcpy(room.at, bytes, piece);
    encoded_.commit(piece);
    host_.queueEncoded(*writer_, room.block, room.offset, piece);
    bytes += piece;
    length -= piece;
  }
  return true;
}

uint8_t* Filter::room(size_t bytes) {
  return encoded_.room(static_cast<uint32_t>(bytes), &room_) ? room_.at : nullptr;
}

void Filter::commit(size_t bytes) {
  const auto length = static_cast<uint32_t>(bytes);
  encoded_.commit(length);
  host_.queueEncoded(*writer_, room_.block, room_.offset, length);
}

// As few records as there can be: pieces are gathered until they fill one, and what fills one by
// itself is encrypted from where it lies.
bool Filter::encode(Channel& channel, const iovec* pieces, uint32_t count) {
  Connection& connection = of(channel);
  if (connection.failed) return true;
  writeAs(channel);
  Session& session = connection.session;
  uint8_t gathered[kRecordBytesMax];
  size_t used = 0;
  bool good = true;
  for (uint32_t i = 0; i < count && good; ++i) {
    const auto* at = static_cast<const uint8_t*>(pieces[i].iov_base);
    size_t left = pieces[i].iov_len;
    while (left > 0 && good) {
      const bool last = i + 1 == count;
      if (used == 0 && (left >= kRecordBytesMax || last)) {
        const size_t whole = last ? left : left - left % kRecordBytesMax;
        good = session.write(at, whole);
        at += whole;
        left -= whole;
        continue;
      }
      const size_t some = std::min(left, kRecordBytesMax - used);
      std::memcpy(gathered + used, at, some);
      used += some;
      at += some;
      left -= some;
      if (used < kRecordBytesMax) continue;
      good = session.write(gathered, used);
      used = 0;
    }
  }
  if (good && used > 0) good = session.write(gathered, used);
  if (good) return true;
  session.takeFailure();
  connection.failed = true;
  host_.giveUp(channel, ENOMEM);
  return false;
}

void Filter::end(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.failed || connection.handshake != nullptr) return;
  writeAs(channel);
  connection.session.end();
}

void Filter::encodedLeft(Channel& channel) {
  if (marked_ == channel.token()) encoded_.rewind(mark_);
  marked_ = kNobody;
}

}  // namespace ringpoll::tls
