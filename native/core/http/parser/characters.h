// Character classes of RFC 9110 and 3986 as one table of bits.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ringpoll::http {

enum CharacterClass : uint8_t {
  kToken = 1 << 0,       // tchar, RFC 9110 section 5.6.2
  kRegName = 1 << 1,     // unreserved or sub-delims: a host name, RFC 3986 section 3.2.2
  kDigit = 1 << 2,       // 0-9
  kHex = 1 << 3,         // 0-9 a-f A-F
  kQuotedText = 1 << 4,  // qdtext, RFC 9110 section 5.6.4
  kQuotedPair = 1 << 5,  // what may follow a backslash in a quoted-string
  kValueText = 1 << 6,   // field-vchar, space or tab: all but the control characters
  kTargetText = 1 << 7,  // visible ASCII without '#'
};

constexpr std::array<uint8_t, 256> makeCharacterTable() {
  std::array<uint8_t, 256> table{};
  const auto add = [&](std::string_view characters, int bits) {
    for (char c : characters) table[static_cast<uint8_t>(c)] |= static_cast<uint8_t>(bits);
  };
  for (int c = 0; c < 256; c++) {
    const bool visible = c > 0x20 && c < 0x7f;
    const bool text = visible || c >= 0x80 || c == ' ' || c == '\t';
    if (text) table[c] |= kValueText | kQuotedPair;
    if (text && c != '"' && c != '\\') table[c] |= kQuotedText;
    if (visible && c != '#') table[c] |= kTargetText;
  }
  add("0123456789", kDigit | kHex | kToken | kRegName);
  add("abcdefABCDEF", kHex);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kRegName);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~!$&'()*+,;=", kRegName);
  return table;
}

inline constexpr std::array<uint8_t, 256> kCharacters = makeCharacterTable();

inline bool is(uint8_t character, CharacterClass which) {
  return (kCharacters[character] & which) != 0;
}

inline bool isSpaceOrTab(uint8_t character) { return character == ' ' || character == '\t'; }

// ASCII letters only; everything else is returned as it is.
constexpr uint8_t lowered(uint8_t character) {
  return character >= 'A' && character <= 'Z' ? character | 0x20 : character;
}

inline bool equalsIgnoringCase(const uint8_t* bytes, uint32_t length, std::string_view lowercase) {
  if (length != lowercase.size()) return false;
  for (uint32_t i = 0; i < length; i++) {
    if (lowered(bytes[i]) != static_cast<uint8_t>(lowercase[i])) return false;
  }
  return true;
}

}  // namespace ringpoll::http
