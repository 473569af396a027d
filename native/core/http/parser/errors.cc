#include "errors.h"

#include <array>

namespace ringpoll::http {
namespace {

struct Row {
  HttpError error;
  ErrorEntry entry;
};

#define CODE(name) "ERR_RINGPOLL_HTTP_" name
constexpr Row kRows[] = {
    {HttpError::kNone, {"", 0, ""}},
    {HttpError::kMethodInvalid, {CODE("METHOD_INVALID"), 400, "The method is not a token"}},
    {HttpError::kMethodUnknown, {CODE("METHOD_UNKNOWN"), 501, "The method is not known"}},
    {HttpError::kTargetInvalid,
     {CODE("TARGET_INVALID"), 400, "The request target has a character that it may not have"}},
    {HttpError::kTargetForm,
     {CODE("TARGET_FORM"), 400, "The form of the request target does not fit the method"}},
    {HttpError::kTargetTooLong,
     {CODE("TARGET_TOO_LONG"), 414, "The request target is over its limit"}},
    {HttpError::kVersionMissing,
     {CODE("VERSION_MISSING"), 400, "The request line names no version (HTTP/0.9)"}},
    {HttpError::kVersionInvalid,
     {CODE("VERSION_INVALID"), 400, "The request line does not end in HTTP/digit.digit"}},
    {HttpError::kVersionUnsupported,
     {CODE("VERSION_UNSUPPORTED"), 505, "The version is not one of HTTP/1"}},
    {HttpError::kLineEnd, {CODE("LINE_END"), 400, "A line does not end in CRLF"}},
    {HttpError::kLineFolding,
     {CODE("LINE_FOLDING"), 400, "A header line starts with a space or a tab"}},
    {HttpError::kHeaderName, {CODE("HEADER_NAME"), 400, "A header name is empty or not a token"}},
    {HttpError::kHeaderNameSpace,
     {CODE("HEADER_NAME_SPACE"), 400, "A space or a tab stands in or after a header name"}},
    {HttpError::kHeaderValue,
     {CODE("HEADER_VALUE"), 400, "A header value has a control character"}},
    {HttpError::kHeadTooLarge,
     {CODE("HEAD_TOO_LARGE"), 431, "Request line and headers are over their limit"}},
    {HttpError::kHeadersTooMany,
     {CODE("HEADERS_TOO_MANY"), 431, "There are more headers than the limit"}},
    {HttpError::kHostMissing, {CODE("HOST_MISSING"), 400, "HTTP/1.1 demands a Host header"}},
    {HttpError::kHostRepeated, {CODE("HOST_REPEATED"), 400, "There are several Host headers"}},
    {HttpError::kHostInvalid, {CODE("HOST_INVALID"), 400, "Host is not host or host:port"}},
    {HttpError::kHostMismatch,
     {CODE("HOST_MISMATCH"), 400, "Host differs from the authority in the request target"}},
    {HttpError::kContentLengthInvalid,
     {CODE("CONTENT_LENGTH_INVALID"), 400, "Content-Length is not a decimal number of 64 bits"}},
    {HttpError::kContentLengthRepeated,
     {CODE("CONTENT_LENGTH_REPEATED"), 400, "There are several Content-Length headers"}},
    {HttpError::kTransferEncodingInvalid,
     {CODE("TRANSFER_ENCODING_INVALID"), 400, "The last transfer coding is not one `chunked`"}},
    {HttpError::kTransferEncodingUnsupported,
     {CODE("TRANSFER_ENCODING_UNSUPPORTED"), 501, "A transfer coding stands before `chunked`"}},
    {HttpError::kTransferEncodingVersion,
     {CODE("TRANSFER_ENCODING_VERSION"), 400, "HTTP/1.0 has no Transfer-Encoding"}},
    {HttpError::kLengthAndTransferEncoding,
     {CODE("LENGTH_AND_TRANSFER_ENCODING"), 400,
      "Content-Length and Transfer-Encoding exclude each other"}},
    {HttpError::kConnectBody, {CODE("CONNECT_BODY"), 400, "CONNECT has no body"}},
    {HttpError::kConnectRefused,
     {CODE("CONNECT_REFUSED"), 501, "This server opens no tunnels for CONNECT"}},
    {HttpError::kLengthRequired,
     {CODE("LENGTH_REQUIRED"), 411, "The server wants to be told the length of the body"}},
    {HttpError::kExpectation,
     {CODE("EXPECTATION"), 417, "Expect names something else than 100-continue"}},
    {HttpError::kBodyTooLarge, {CODE("BODY_TOO_LARGE"), 413, "The body is over its limit"}},
    {HttpError::kChunkSize,
     {CODE("CHUNK_SIZE"), 400, "A chunk size is not a hexadecimal number of 64 bits"}},
    {HttpError::kChunkExtension, {CODE("CHUNK_EXTENSION"), 400, "A chunk extension is malformed"}},
    {HttpError::kChunkExtensionsTooLarge,
     {CODE("CHUNK_EXTENSIONS_TOO_LARGE"), 413, "The chunk extensions are over their limit"}},
    {HttpError::kChunkEnd, {CODE("CHUNK_END"), 400, "A chunk's data does not end in CRLF"}},
    {HttpError::kTrailerForbidden,
     {CODE("TRAILER_FORBIDDEN"), 400, "A trailer has a name that decides framing or routing"}},
    {HttpError::kTrailersTooLarge,
     {CODE("TRAILERS_TOO_LARGE"), 431, "The trailers are over their limit"}},
    {HttpError::kTrailersTooMany,
     {CODE("TRAILERS_TOO_MANY"), 431, "There are more trailers than the limit"}},
    {HttpError::kProxyHeader,
     {CODE("PROXY_HEADER"), 400, "The PROXY protocol header is malformed"}},
    {HttpError::kUnexpectedEnd,
     {CODE("UNEXPECTED_END"), 400, "The peer ended the connection within a request"}},
    {HttpError::kHeadersTimeout,
     {CODE("HEADERS_TIMEOUT"), 408, "The head of the request took too long"}},
    {HttpError::kRequestTimeout, {CODE("REQUEST_TIMEOUT"), 408, "The request took too long"}},
    {HttpError::kHttp2, {CODE("HTTP2"), 505, "The peer speaks HTTP/2"}},
    {HttpError::kTls, {CODE("TLS"), 400, "The peer speaks TLS"}},
};
#undef CODE

constexpr uint32_t kErrors = static_cast<uint32_t>(HttpError::kCount);
static_assert(std::size(kRows) == kErrors, "each error has its row");
static_assert([] {
  for (uint32_t i = 0; i < kErrors; i++) {
    if (static_cast<uint32_t>(kRows[i].error) != i) return false;
  }
  return true;
}());

}  // namespace

const ErrorEntry& describe(HttpError error) { return kRows[static_cast<uint32_t>(error)].entry; }

}  // namespace ringpoll::http
