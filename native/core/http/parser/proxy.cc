#include "proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "characters.h"

namespace ringpoll::http {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kV1Start = "PROXY "sv;
constexpr std::string_view kV2Signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr uint32_t kV2FixedBytes = 16;
constexpr uint32_t kInetBytes = 12;
constexpr uint32_t kInet6Bytes = 36;
constexpr uint32_t kUnixBytes = 216;
constexpr uint32_t kUnixPathBytes = 108;
constexpr uint32_t kTlvHeaderBytes = 3;
constexpr uint8_t kTlvChecksum = 0x03;
constexpr uint32_t kChecksumBytes = 4;
constexpr uint32_t kCastagnoli = 0x82f63b78;  // CRC-32C, reflected

static_assert(kV2FixedBytes + kUnixBytes <= kProxyV2BytesMax);

ProxyResult fail(uint32_t offset) { return {Step::kError, HttpError::kProxyHeader, offset}; }

uint16_t bigEndian16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

// --- Version 1: PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 CRLF ------------------------------

// One word, up to the next space; `at` moves behind the space. Empty when there is none.
std::string_view takeWord(std::string_view& line) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

bool takeAddress(std::string_view word, ProxyFamily family, uint8_t* address) {
  char text[INET6_ADDRSTRLEN];
  if (word.empty() || word.size() >= sizeof(text)) return false;
  if (word.find('\0') != std::string_view::npos) return false;
  std::memcpy(text, word.data(), word.size());
  text[word.size()] = '\0';
  return inet_pton(family == ProxyFamily::kInet ? AF_INET : AF_INET6, text, address) == 1;
}

bool takePort(std::string_view word, uint16_t* port) {
  if (word.empty() || word.size() > 5 || (word.size() > 1 && word[0] == '0')) return false;
  uint32_t value = 0;
  for (char c : word) {
    if (!is(static_cast<uint8_t>(c), kDigit)) return false;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  *port = static_cast<uint16_t>(value);
  return value <= UINT16_MAX;
}

bool takeLine(std::string_view line, ProxyHeader* header) {
  const std::string_view protocol = takeWord(line);
  if (protocol == "UNKNOWN"sv) return true;  // the rest is to be ignored
  if (protocol == "TCP4"sv) {
    header->family = ProxyFamily::kInet;
  } else if (protocol == "TCP6"sv) {
    header->family = ProxyFamily::kInet6;
  } else {
    return false;
  }
  const std::string_view source = takeWord(line);
  const std::string_view destination = takeWord(line);
  const std::string_view sourcePort = takeWord(line);
  return takeAddress(source, header->family, header->source) &&
         takeAddress(destination, header->family, header->destination) &&
         takePort(sourcePort, &header->sourcePort) && takePort(line, &header->destinationPort);
}

ProxyResult parseV1(const uint8_t* data, uint32_t length, ProxyHeader* header) {
  const uint32_t limit = std::min(length, kProxyV1BytesMax);
  uint32_t end = static_cast<uint32_t>(kV1Start.size());
  while (end < limit && data[end] != '\r' && data[end] != '\n') end++;
  if (end == limit) return limit == kProxyV1BytesMax ? fail(limit) : ProxyResult{};
  if (data[end] == '\n') return fail(end);
  if (end + 1 == limit) return limit == kProxyV1BytesMax ? fail(limit) : ProxyResult{};
  if (data[end + 1] != '\n') return fail(end + 1);
  header->version = 1;
  const std::string_view line(reinterpret_cast<const char*>(data) + kV1Start.size(),
                              end - kV1Start.size());
  if (!takeLine(line, header)) return fail(static_cast<uint32_t>(kV1Start.size()));
  return {Step::kDone, HttpError::kNone, end + 2};
}

// --- Version 2 --------------------------------------------------------------------------------

// CRC-32C over the header with the checksum's own four bytes taken as zero.
uint32_t checksum(const uint8_t* data, uint32_t length, uint32_t hole) {
  uint32_t crc = UINT32_MAX;
  for (uint32_t i = 0; i < length; i++) {
    crc ^= i - hole < kChecksumBytes ? 0 : data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? kCastagnoli : 0);
  }
  return ~crc;
}

// Every TLV fits, and a checksum, where there is one, is right.
ProxyResult checkTlvs(const uint8_t* data, uint32_t total, const ProxyHeader& header) {
  uint32_t at = header.tlvOffset;
  while (at < total) {
    if (total - at < kTlvHeaderBytes) return fail(at);
    const uint32_t size = bigEndian16(data + at + 1);
    const uint32_t value = at + kTlvHeaderBytes;
    if (size > total - value) return fail(at);
    if (data[at] == kTlvChecksum) {
      if (size != kChecksumBytes) return fail(at);
      const uint32_t told =
          static_cast<uint32_t>(bigEndian16(data + value)) << 16 | bigEndian16(data + value + 2);
      if (told != checksum(data, total, value)) return fail(value);
    }
    at = value + size;
  }
  return {Step::kDone, HttpError::kNone, total};
}

// Reads the addresses and returns how many bytes they take, or -1 when they do not fit.
int32_t takeAddresses(const uint8_t* data, uint32_t room, ProxyHeader* header) {
  const uint8_t* const block = data + kV2FixedBytes;
  switch (header->family) {
    case ProxyFamily::kNone:
      return 0;
    case ProxyFamily::kInet:
    case ProxyFamily::kInet6: {
      const bool inet = header->family == ProxyFamily::kInet;
      const uint32_t bytes = inet ? kInetBytes : kInet6Bytes;
      if (room < bytes) return -1;
      const uint32_t address = (bytes - 4) / 2;
      std::memcpy(header->source, block, address);
      std::memcpy(header->destination, block + address, address);
      header->sourcePort = bigEndian16(block + 2 * address);
      header->destinationPort = bigEndian16(block + 2 * address + 2);
      return static_cast<int32_t>(bytes);
    }
    case ProxyFamily::kUnix:
      if (room < kUnixBytes) return -1;
      header->sourcePathOffset = kV2FixedBytes;
      header->destinationPathOffset = kV2FixedBytes + kUnixPathBytes;
      return kUnixBytes;
  }
  return -1;
}

ProxyResult parseV2(const uint8_t* data, uint32_t length, ProxyHeader* header) {
  if (length > 12 && (data[12] >> 4 != 2 || (data[12] & 15) > 1)) return fail(12);
  // High four bits: unspecified, IPv4, IPv6, Unix; low four: unspecified, stream, datagram. One
  // without the other has no address to speak of. A LOCAL header may say what it likes.
  const bool local = length > 12 && (data[12] & 15) == 0;
  if (length > 13 && !local) {
    const uint8_t family = data[13] >> 4;
    const uint8_t transport = data[13] & 15;
    if (family > 3 || transport > 2 || (family == 0) != (transport == 0)) return fail(13);
  }
  if (length < kV2FixedBytes) return {};
  const uint32_t room = bigEndian16(data + 14);
  const uint32_t total = kV2FixedBytes + room;
  if (total > kProxyV2BytesMax) return fail(14);
  header->version = 2;
  header->local = local;
  if (!local) {
    header->family = static_cast<ProxyFamily>(data[13] >> 4);
    header->datagram = (data[13] & 15) == 2;
  }
  if (length < total) return {};
  const int32_t addresses = takeAddresses(data, room, header);
  if (addresses < 0) return fail(14);
  header->tlvOffset = kV2FixedBytes + static_cast<uint32_t>(addresses);
  header->tlvLength = total - header->tlvOffset;
  if (header->family == ProxyFamily::kNone) {
    // Nothing is known about the layout of what a LOCAL or unspecified header carries.
    header->tlvOffset = header->tlvLength = 0;
    return {Step::kDone, HttpError::kNone, total};
  }
  return checkTlvs(data, total, *header);
}

}  // namespace

ProxyResult parseProxyHeader(const uint8_t* data, uint32_t length, ProxyHeader* header) {
  *header = {};
  const bool binary = length > 0 && data[0] == kV2Signature[0];
  const std::string_view start = binary ? kV2Signature : kV1Start;
  for (uint32_t i = 0; i < std::min<size_t>(length, start.size()); i++) {
    if (data[i] != static_cast<uint8_t>(start[i])) return fail(i);
  }
  if (length < start.size()) return {};
  return binary ? parseV2(data, length, header) : parseV1(data, length, header);
}

}  // namespace ringpoll::http
