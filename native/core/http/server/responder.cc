#include "responder.h"

#include <charconv>
#include <cstring>

namespace ringpoll::http {

namespace {

constexpr std::string_view kContentLength = "Content-Length: ";
constexpr std::string_view kLineEnd = "\r\n";
constexpr uint32_t kLengthDigitsMax = 20;

char* put(char* at, std::string_view text) {
  if (text.empty()) return at;
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

}  // namespace

char* Responder::room(uint32_t bytes, Bytes* out) {
  ScratchBlock::Room found;
  if (bytes > kHotBlockBytes || !bytes_.room(bytes, &found)) return nullptr;
  *out = {found.block, found.offset, 0};
  return reinterpret_cast<char*>(found.at);
}

const std::string& Responder::textOf(HeadTemplate& head) {
  if (!dateIsFresh_) {
    date_.refresh();
    dateIsFresh_ = true;
  }
  return head.text(date_);
}

bool Responder::compose(HeadTemplate& head, const ResponseParts& parts, Bytes* out) {
  const std::string& text = textOf(head);
  const size_t most = text.size() + kContentLength.size() + kLengthDigitsMax + 2 * kLineEnd.size() +
                      parts.fields.size() + parts.body.size();
  if (most > kHotBlockBytes) return false;
  char* const start = room(static_cast<uint32_t>(most), out);
  if (start == nullptr) return false;
  char* at = put(start, text);
  if (parts.contentLength >= 0) {
    at = put(at, kContentLength);
    at = std::to_chars(at, at + kLengthDigitsMax, parts.contentLength).ptr;
    at = put(at, kLineEnd);
  }
  at = put(at, parts.fields);
  at = put(at, kLineEnd);
  at = put(at, parts.body);
  out->length = static_cast<uint32_t>(at - start);
  bytes_.commit(out->length);
  return true;
}

bool Responder::composeWhole(HeadTemplate& head, std::string_view body, Bytes* out) {
  const std::string& text = textOf(head);
  const size_t total = text.size() + body.size();
  if (total > kHotBlockBytes) return false;
  char* const start = room(static_cast<uint32_t>(total), out);
  if (start == nullptr) return false;
  put(put(start, text), body);
  out->length = static_cast<uint32_t>(total);
  bytes_.commit(out->length);
  return true;
}

void Responder::endFlush() {
  dateIsFresh_ = false;
  bytes_.recycle();
}

}  // namespace ringpoll::http
