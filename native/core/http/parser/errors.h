// Every reason to refuse a request: its code, the status to answer with, and a sentence for logs.
#pragma once

#include <cstdint>

namespace ringpoll::http {

enum class HttpError : uint8_t {
  kNone,
  // Request line.
  kMethodInvalid,
  kMethodUnknown,
  kTargetInvalid,
  kTargetForm,
  kTargetTooLong,
  kVersionMissing,
  kVersionInvalid,
  kVersionUnsupported,
  // Lines and fields.
  kLineEnd,
  kLineFolding,
  kHeaderName,
  kHeaderNameSpace,
  kHeaderValue,
  kHeadTooLarge,
  kHeadersTooMany,
  // What the fields say.
  kHostMissing,
  kHostRepeated,
  kHostInvalid,
  kHostMismatch,
  kContentLengthInvalid,
  kContentLengthRepeated,
  kTransferEncodingInvalid,
  kTransferEncodingUnsupported,
  kTransferEncodingVersion,
  kLengthAndTransferEncoding,
  kConnectBody,
  kConnectRefused,
  kLengthRequired,
  kExpectation,
  // Body.
  kBodyTooLarge,
  kChunkSize,
  kChunkExtension,
  kChunkExtensionsTooLarge,
  kChunkEnd,
  kTrailerForbidden,
  kTrailersTooLarge,
  kTrailersTooMany,
  // Before HTTP.
  kProxyHeader,
  // Never found by a parser: the server raises these.
  kUnexpectedEnd,
  kHeadersTimeout,
  kRequestTimeout,
  // Another protocol.
  kHttp2,
  kTls,
  kCount,
};

struct ErrorEntry {
  const char* code;     // ERR_RINGPOLL_HTTP_*
  uint16_t status;      // to answer with, before closing
  const char* message;  // one sentence, no full stop
};

const ErrorEntry& describe(HttpError error);

}  // namespace ringpoll::http
