// Request methods by number, so that JavaScript need not decode them.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringpoll::http {

// The numbers are part of the record that JavaScript reads: append, never reorder.
enum class Method : uint8_t {
  kUnknown,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kPatch,
  kOptions,
  kConnect,
  kTrace,
  kAcl,
  kBind,
  kCheckout,
  kCopy,
  kLink,
  kLock,
  kMerge,
  kMkActivity,
  kMkCalendar,
  kMkCol,
  kMove,
  kMSearch,
  kNotify,
  kPropFind,
  kPropPatch,
  kPurge,
  kQuery,
  kRebind,
  kReport,
  kSearch,
  kSource,
  kSubscribe,
  kUnbind,
  kUnlink,
  kUnlock,
  kUnsubscribe,
  kCount,
};

std::string_view methodName(Method method);  // "" for kUnknown
Method findMethod(const uint8_t* name, uint32_t length);

}  // namespace ringpoll::http
