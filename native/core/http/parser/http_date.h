// The Date header's value (RFC 9110 section 5.6.7), formatted once a second.
#pragma once

#include <cstdint>
#include <ctime>

namespace ringpoll::http {

inline constexpr uint32_t kDateBytes = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

class HttpDate {
 public:
  // Looks at the clock. The text stays the same until the next call.
  void refresh() {
    const std::time_t seconds = std::time(nullptr);
    if (seconds == seconds_) return;
    seconds_ = seconds;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    format(parts);
  }
  const char* text() const { return text_; }
  // Changes whenever the text does.
  std::time_t seconds() const { return seconds_; }

 private:
  void format(const std::tm& parts) {
    static constexpr char kDays[] = "SunMonTueWedThuFriSat";
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char* at = text_;
    const auto letters = [&at](const char* from) {
      for (int i = 0; i < 3; ++i) *at++ = from[i];
    };
    const auto twoDigits = [&at](int value) {
      *at++ = static_cast<char>('0' + value / 10);
      *at++ = static_cast<char>('0' + value % 10);
    };
    letters(kDays + 3 * parts.tm_wday);
    *at++ = ',';
    *at++ = ' ';
    twoDigits(parts.tm_mday);
    *at++ = ' ';
    letters(kMonths + 3 * parts.tm_mon);
    *at++ = ' ';
    const int year = parts.tm_year + 1900;
    twoDigits(year / 100);
    twoDigits(year % 100);
    *at++ = ' ';
    twoDigits(parts.tm_hour);
    *at++ = ':';
    twoDigits(parts.tm_min);
    *at++ = ':';
    twoDigits(parts.tm_sec);
    for (const char* zone = " GMT"; *zone != '\0'; ++zone) *at++ = *zone;
    *at = '\0';
  }

  std::time_t seconds_ = -1;
  char text_[kDateBytes + 1] = {};
};

}  // namespace ringpoll::http
