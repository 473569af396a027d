// TLS below a connection: the system's libssl, opened at run time, so that the other modes build
// and run without it. Certificates are not verified: what a server's handshake costs is measured
// here.
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum {
  CTRL_MODE = 33,  // numbers of SSL_CTX_ctrl, SSL_get_error and the modes in libssl's interface
  CTRL_SESSION_CACHE_MODE = 44,
  CTRL_MIN_VERSION = 123,
  CTRL_MAX_VERSION = 124,
  MODE_PARTIAL_WRITE = 1,
  MODE_MOVING_BUFFER = 2,
  MODE_RELEASE_BUFFERS = 16,
  CACHE_CLIENT_WITHOUT_STORE = 0x201,
  SHUTDOWN_BOTH = 3,
  ERROR_WANT_READ = 2,
  ERROR_WANT_WRITE = 3,
  ERROR_ZERO_RETURN = 6,
  TLS_1_2 = 0x0303,
  TLS_1_3 = 0x0304,
  RECORD_BYTES_MAX = 16 * 1024,
};

static struct {
  const void *(*TLS_client_method)(void);
  void *(*SSL_CTX_new)(const void *method);
  long (*SSL_CTX_ctrl)(void *context, int what, long number, void *pointer);
  int (*SSL_CTX_set_ciphersuites)(void *context, const char *names);
  int (*SSL_CTX_set_cipher_list)(void *context, const char *names);
  void (*SSL_CTX_sess_set_new_cb)(void *context, int (*callback)(void *ssl, void *session));
  void *(*SSL_new)(void *context);
  int (*SSL_set_fd)(void *ssl, int fd);
  void (*SSL_set_connect_state)(void *ssl);
  int (*SSL_read)(void *ssl, void *into, int length);
  int (*SSL_write)(void *ssl, const void *from, int length);
  int (*SSL_get_error)(const void *ssl, int result);
  int (*SSL_set_session)(void *ssl, void *session);
  void *(*SSL_SESSION_dup)(const void *session);
  void (*SSL_SESSION_free)(void *session);
  int (*SSL_session_reused)(const void *ssl);
  int (*SSL_shutdown)(void *ssl);
  void (*SSL_set_shutdown)(void *ssl, int how);
  void (*SSL_free)(void *ssl);
  int (*SSL_set_ex_data)(void *ssl, int index, void *data);
  void *(*SSL_get_ex_data)(const void *ssl, int index);
  const char *(*SSL_get_version)(const void *ssl);
  const void *(*SSL_get_current_cipher)(const void *ssl);
  const char *(*SSL_CIPHER_get_name)(const void *cipher);
  unsigned long (*ERR_get_error)(void);
  void (*ERR_error_string_n)(unsigned long error, char *into, size_t length);
  void (*ERR_clear_error)(void);
} openssl;

static const struct {
  const char *name;
  void *into;
} SYMBOLS[] = {
#define SYMBOL(name) \
  { #name, &openssl.name }
    SYMBOL(TLS_client_method),
    SYMBOL(SSL_CTX_new),
    SYMBOL(SSL_CTX_ctrl),
    SYMBOL(SSL_CTX_set_ciphersuites),
    SYMBOL(SSL_CTX_set_cipher_list),
    SYMBOL(SSL_CTX_sess_set_new_cb),
    SYMBOL(SSL_new),
    SYMBOL(SSL_set_fd),
    SYMBOL(SSL_set_connect_state),
    SYMBOL(SSL_read),
    SYMBOL(SSL_write),
    SYMBOL(SSL_get_error),
    SYMBOL(SSL_set_session),
    SYMBOL(SSL_SESSION_dup),
    SYMBOL(SSL_SESSION_free),
    SYMBOL(SSL_session_reused),
    SYMBOL(SSL_shutdown),
    SYMBOL(SSL_set_shutdown),
    SYMBOL(SSL_free),
    SYMBOL(SSL_set_ex_data),
    SYMBOL(SSL_get_ex_data),
    SYMBOL(SSL_get_version),
    SYMBOL(SSL_get_current_cipher),
    SYMBOL(SSL_CIPHER_get_name),
    SYMBOL(ERR_get_error),
    SYMBOL(ERR_error_string_n),
    SYMBOL(ERR_clear_error),
#undef SYMBOL
};

static void *context;
static char negotiated[128];

static void resolve(void) {
  void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) fail("TLS wants libssl.so.3: %s", dlerror());
  for (size_t i = 0; i < sizeof SYMBOLS / sizeof SYMBOLS[0]; i++) {
    void *symbol = dlsym(library, SYMBOLS[i].name);
    if (symbol == NULL) fail("libssl.so.3 has no %s", SYMBOLS[i].name);
    memcpy(SYMBOLS[i].into, &symbol, sizeof symbol);
  }
}

static void fail_of_openssl(const struct connection *connection, const char *what) {
  char text[160] = "closed by the server";
  unsigned long error = openssl.ERR_get_error();
  if (error != 0) openssl.ERR_error_string_n(error, text, sizeof text);
  fail("connection %u: %s: %s", connection->index, what, text);
}

// Keeps the newest session of a connection's slot. Servers that do not renew a ticket when it is
// used, as most with TLS 1.2 and some with 1.3, are offered the same one again.
static int session_came(void *ssl, void *session) {
  struct connection *connection = openssl.SSL_get_ex_data(ssl, 0);
  if (!options->resume) return 0;
  if (connection->session != NULL) openssl.SSL_SESSION_free(connection->session);
  connection->session = session;
  return 1;
}

void secure_prepare(void) {
  resolve();
  // libssl writes without MSG_NOSIGNAL.
  signal(SIGPIPE, SIG_IGN);
  context = openssl.SSL_CTX_new(openssl.TLS_client_method());
  if (context == NULL) fail("SSL_CTX_new");
  const long version = options->tls_1_2 ? TLS_1_2 : TLS_1_3;
  openssl.SSL_CTX_ctrl(context, CTRL_MIN_VERSION, version, NULL);
  openssl.SSL_CTX_ctrl(context, CTRL_MAX_VERSION, version, NULL);
  openssl.SSL_CTX_ctrl(context, CTRL_MODE,
                       MODE_PARTIAL_WRITE | MODE_MOVING_BUFFER | MODE_RELEASE_BUFFERS, NULL);
  openssl.SSL_CTX_ctrl(context, CTRL_SESSION_CACHE_MODE, CACHE_CLIENT_WITHOUT_STORE, NULL);
  openssl.SSL_CTX_sess_set_new_cb(context, session_came);
  // One cipher for everybody, so that servers are compared and not their preferences.
  const char *old = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
  if (openssl.SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
      openssl.SSL_CTX_set_cipher_list(context, old) != 1) {
    fail("libssl.so.3 has no AES-128-GCM");
  }
}

void secure_begin(struct connection *connection) {
  void *ssl = openssl.SSL_new(context);
  if (ssl == NULL) fail("SSL_new");
  connection->ssl = ssl;
  openssl.SSL_set_ex_data(ssl, 0, connection);
  openssl.SSL_set_connect_state(ssl);
  if (openssl.SSL_set_fd(ssl, connection->fd) != 1) fail("SSL_set_fd");
  if (connection->session == NULL) return;
  // libssl never offers the same object of TLS 1.3 again, so a copy is used up.
  void *copy = openssl.SSL_SESSION_dup(connection->session);
  if (copy == NULL || openssl.SSL_set_session(ssl, copy) != 1) fail("SSL_set_session");
  openssl.SSL_SESSION_free(copy);
}

// Whether the call has to be made again later; every other fault ends the run.
static bool must_wait(const struct connection *connection, int result, const char *what) {
  int error = openssl.SSL_get_error(connection->ssl, result);
  if (error == ERROR_WANT_READ || error == ERROR_WANT_WRITE) return true;
  if (error == ERROR_ZERO_RETURN) fail("connection %u: close_notify", connection->index);
  fail_of_openssl(connection, what);
  return false;
}

size_t secure_write(struct connection *connection, const char *from, size_t length) {
  if (length > SCRATCH_BYTES) length = SCRATCH_BYTES;
  openssl.ERR_clear_error();
  int written = openssl.SSL_write(connection->ssl, from, (int)length);
  if (written > 0) return (size_t)written;
  must_wait(connection, written, "SSL_write");
  return 0;
}

// Reads all that is there. A part of a record that stayed within libssl would wake nobody, so the
// room left is always that of a whole record: `length` is at least that.
size_t secure_read(struct connection *connection, char *into, size_t length) {
  size_t total = 0;
  while (length - total >= RECORD_BYTES_MAX) {
    openssl.ERR_clear_error();
    int received = openssl.SSL_read(connection->ssl, into + total, (int)(length - total));
    if (received > 0) {
      total += (size_t)received;
      continue;
    }
    // What came before an end counts first; the end is told by the next read.
    if (total > 0 || must_wait(connection, received, "SSL_read")) break;
  }
  if (total > 0 && negotiated[0] == '\0') {
    snprintf(negotiated, sizeof negotiated, "%s %s", openssl.SSL_get_version(connection->ssl),
             openssl.SSL_CIPHER_get_name(openssl.SSL_get_current_cipher(connection->ssl)));
  }
  return total;
}

bool secure_reused(const struct connection *connection) {
  return openssl.SSL_session_reused(connection->ssl) == 1;
}

void secure_end(struct connection *connection) {
  openssl.ERR_clear_error();
  openssl.SSL_shutdown(connection->ssl);
  // One that was not shut down would lose its session when it is freed.
  openssl.SSL_set_shutdown(connection->ssl, SHUTDOWN_BOTH);
  openssl.SSL_free(connection->ssl);
  connection->ssl = NULL;
}

const char *secure_negotiated(void) { return negotiated; }
