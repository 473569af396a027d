// The PROXY protocol header, both versions: who the client is, and what is refused.
#include <cstring>
#include <string>

#include "check.h"
#include "core/http/parser/proxy.h"

namespace {

using namespace ringpoll::http;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

ProxyResult parse(const std::string& bytes, ProxyHeader* header) {
  // A copy of its own, so that a sanitizer sees a read outside.
  const std::string copy(bytes);
  return parseProxyHeader(reinterpret_cast<const uint8_t*>(copy.data()),
                          static_cast<uint32_t>(copy.size()), header);
}

// Every prefix needs more; the whole, with something behind it, is done.
void accepts(const std::string& bytes, ProxyHeader* header) {
  for (size_t length = 0; length < bytes.size(); length++) {
    CHECK_EQ(parse(bytes.substr(0, length), header).step, Step::kNeedMore);
  }
  const ProxyResult result = parse(bytes + "GET /", header);
  CHECK_EQ(result.step, Step::kDone);
  CHECK_EQ(result.offset, bytes.size());
}

// The whole is an error, and no prefix is done.
void refuses(const std::string& bytes) {
  ProxyHeader header;
  for (size_t length = 0; length < bytes.size(); length++) {
    CHECK(parse(bytes.substr(0, length), &header).step != Step::kDone);
  }
  const ProxyResult result = parse(bytes, &header);
  CHECK_EQ(result.step, Step::kError);
  CHECK_EQ(result.error, HttpError::kProxyHeader);
}

std::string version2(char command, char family, const std::string& block) {
  return kSignature + command + family + static_cast<char>(block.size() >> 8) +
         static_cast<char>(block.size() & 255) + block;
}

const std::string kInetBlock = "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"s;

TEST(http_proxy_v1_tells_ipv4_addresses) {
  ProxyHeader header;
  accepts("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", &header);
  CHECK_EQ(header.version, 1);
  CHECK_EQ(header.family, ProxyFamily::kInet);
  CHECK(std::memcmp(header.source, "\xc0\x00\x02\x01", 4) == 0);
  CHECK(std::memcmp(header.destination, "\xc6\x33\x64\x07", 4) == 0);
  CHECK_EQ(header.sourcePort, 56324);
  CHECK_EQ(header.destinationPort, 443);
}

TEST(http_proxy_v1_tells_ipv6_addresses) {
  ProxyHeader header;
  accepts("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", &header);
  CHECK_EQ(header.family, ProxyFamily::kInet6);
  CHECK(std::memcmp(header.source, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16) == 0);
  CHECK_EQ(header.destinationPort, 65535);
}

TEST(http_proxy_v1_unknown_keeps_the_addresses_of_the_socket) {
  ProxyHeader header;
  accepts("PROXY UNKNOWN\r\n", &header);
  CHECK_EQ(header.family, ProxyFamily::kNone);
  accepts("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", &header);
  CHECK_EQ(header.family, ProxyFamily::kNone);
}

TEST(http_proxy_v1_refuses_what_is_off_by_a_byte) {
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n");
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\rX");
  refuses("PROXY  TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
  refuses("PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n");
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n");
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n");
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 56324 65536\r\n");
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 056324 443\r\n");
  refuses("PROXY TCP4 192.0.2.1 198.51.100.7 +1 443\r\n");
  refuses("PROXY TCP4 192.0.2.256 198.51.100.7 1 443\r\n");
  refuses("PROXY TCP4 192.0.2 198.51.100.7 1 443\r\n");
  refuses("PROXY TCP4 ::1 ::1 1 443\r\n");
  refuses("PROXY TCP6 192.0.2.1 198.51.100.7 1 443\r\n");
  refuses("PROXY UDP4 192.0.2.1 198.51.100.7 1 443\r\n");
  refuses("PROXY UNKNOWNX\r\n");
  refuses("PROXX TCP4 ");
  refuses("PROXY UNKNOWN " + std::string(kProxyV1BytesMax, 'x'));
}

TEST(http_proxy_v1_longest_line_passes) {
  ProxyHeader header;
  const std::string start = "PROXY UNKNOWN ";
  const std::string rest(kProxyV1BytesMax - start.size() - 2, 'x');
  accepts(start + rest + "\r\n", &header);
  refuses(start + rest + "x\r\n");
}

TEST(http_proxy_v2_tells_addresses) {
  ProxyHeader header;
  accepts(version2('\x21', '\x11', kInetBlock), &header);
  CHECK_EQ(header.version, 2);
  CHECK(!header.local);
  CHECK_EQ(header.family, ProxyFamily::kInet);
  CHECK(!header.datagram);
  CHECK(std::memcmp(header.source, "\xc0\x00\x02\x01", 4) == 0);
  CHECK_EQ(header.sourcePort, 56324);
  CHECK_EQ(header.destinationPort, 443);
  accepts(version2('\x21', '\x22', std::string(36, '\x01')), &header);
  CHECK_EQ(header.family, ProxyFamily::kInet6);
  CHECK(header.datagram);
  CHECK_EQ(header.destinationPort, 0x0101);
  accepts(version2('\x21', '\x31', std::string(216, 'p')), &header);
  CHECK_EQ(header.family, ProxyFamily::kUnix);
  CHECK_EQ(header.destinationPathOffset, 16 + 108);
}

TEST(http_proxy_v2_local_keeps_the_addresses_of_the_socket) {
  ProxyHeader header;
  accepts(version2('\x20', '\x00', ""), &header);
  CHECK(header.local);
  accepts(version2('\x20', '\x11', kInetBlock), &header);
  CHECK(header.local);
  CHECK_EQ(header.family, ProxyFamily::kNone);
}

TEST(http_proxy_v2_tlvs_fit_exactly) {
  ProxyHeader header;
  const std::string tlv = "\x01\x00\x02h2\x04\x00\x00"s;
  accepts(version2('\x21', '\x11', kInetBlock + tlv), &header);
  CHECK_EQ(header.tlvOffset, 28);
  CHECK_EQ(header.tlvLength, tlv.size());
  refuses(version2('\x21', '\x11', kInetBlock + "\x01\x00"s));
  refuses(version2('\x21', '\x11', kInetBlock + "\x01\x00\x03h2"s));
}

TEST(http_proxy_v2_checksum_is_verified) {
  ProxyHeader header;
  std::string bytes = version2('\x21', '\x11', kInetBlock + "\x03\x00\x04\0\0\0\0"s);
  // CRC-32C of these bytes with zeros in place of the checksum, computed apart, bit by bit.
  uint32_t crc = 0xffffffff;
  for (char c : bytes) {
    for (uint32_t bit = 0; bit < 8; bit++) {
      const uint32_t in = static_cast<uint8_t>(c) >> bit & 1;
      const bool carry = ((crc ^ in) & 1) != 0;
      crc >>= 1;
      if (carry) crc ^= 0x82f63b78;
    }
  }
  crc = ~crc;
  for (int i = 0; i < 4; i++) bytes[bytes.size() - 4 + i] = static_cast<char>(crc >> (24 - 8 * i));
  accepts(bytes, &header);
  bytes[16] = '\x0a';
  refuses(bytes);
}

TEST(http_proxy_v2_refuses_what_is_off_by_a_byte) {
  refuses(version2('\x11', '\x11', kInetBlock));
  refuses(version2('\x22', '\x11', kInetBlock));
  refuses(version2('\x21', '\x41', kInetBlock));
  refuses(version2('\x21', '\x13', kInetBlock));
  refuses(version2('\x21', '\x10', kInetBlock));
  refuses(version2('\x21', '\x11', kInetBlock.substr(1)));
  refuses(version2('\x21', '\x21', kInetBlock));
  refuses(version2('\x21', '\x31', std::string(215, 'p')));
  refuses(version2('\x21', '\x11', kInetBlock + std::string(kProxyV2BytesMax, '\0')));
  refuses("\r\n\r\n\0\r\nQUIX"s);
}

}  // namespace
