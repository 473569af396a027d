// What OpenSSL calls for the connections of a Context.
#pragma once

#include "context.h"

namespace ringpoll::tls {

struct Callbacks {
  // Of OpenSSL's extra data: 0 is the application's own.
  static constexpr int kIndex = 0;

  static const Context& contextOf(const OpenSsl& ssl, const ssl_st* connection) {
    return *static_cast<const Context*>(
        ssl.SSL_CTX_get_ex_data(ssl.SSL_get_SSL_CTX(connection), kIndex));
  }
  // null: the connection has none.
  static SessionHooks* hooksOf(const OpenSsl& ssl, const ssl_st* connection) {
    return static_cast<SessionHooks*>(ssl.SSL_get_ex_data(connection, kIndex));
  }

  static int clientHello(ssl_st* connection, int* alert, void* data);
  static int nameIsKnown(ssl_st* connection, int* alert, void* data);
  static int selectAlpn(ssl_st* connection, const unsigned char** chosen, unsigned char* length,
                        const unsigned char* offered, unsigned offeredBytes, void* data);
  static int ticketKey(ssl_st* connection, unsigned char* name, unsigned char* iv,
                       evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, int encrypts);
  static int staple(ssl_st* connection, void* data);
  static int sessionCame(ssl_st* connection, ssl_session_st* session);
  static void keylog(const ssl_st* connection, const char* line);
  static int acceptAnyway(int ok, x509_store_ctx_st* store);
};

}  // namespace ringpoll::tls
