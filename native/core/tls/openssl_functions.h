// The functions of OpenSSL 3 that we call, with declarations of our own: the addon links none of
// it. Only functions that every Node from 20 on exports stand here; what OpenSSL's headers define
// as macros is in openssl.h.
//
// The names of the structs are OpenSSL's, so that a test compares each line with its headers.
#pragma once

#include <cstddef>
#include <cstdint>

struct asn1_string_st;
struct bio_method_st;
struct bio_st;
struct engine_st;
struct evp_cipher_ctx_st;
struct evp_cipher_st;
struct evp_mac_ctx_st;
struct evp_mac_st;
struct evp_md_st;
struct evp_pkey_st;
struct ossl_lib_ctx_st;
struct ossl_param_st;
struct PKCS12_st;
struct pkcs8_priv_key_info_st;
struct ssl_cipher_st;
struct ssl_ctx_st;
struct ssl_method_st;
struct ssl_session_st;
struct ssl_st;
struct stack_st;
struct stack_st_X509;
struct stack_st_X509_NAME;
struct X509_crl_st;
struct X509_name_st;
struct x509_st;
struct x509_store_ctx_st;
struct x509_store_st;
struct X509_VERIFY_PARAM_st;

namespace ringpoll::tls {

using PasswordCallback = int(char* into, int room, int writing, void* data);
using VerifyCallback = int(int ok, x509_store_ctx_st* store);
using HelloCallback = int(ssl_st* ssl, int* alert, void* data);
using NameCallback = int(ssl_st* ssl, int* alert, void* data);
using AlpnCallback = int(ssl_st* ssl, const unsigned char** chosen, unsigned char* length,
                         const unsigned char* offered, unsigned offeredBytes, void* data);
using TicketKeyCallback = int(ssl_st* ssl, unsigned char* name, unsigned char* iv,
                              evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, int encrypt);
using InfoCallback = void(const ssl_st* ssl, int where, int value);
using KeylogCallback = void(const ssl_st* ssl, const char* line);
using SessionCallback = int(ssl_st* ssl, ssl_session_st* session);
using StatusCallback = int(ssl_st* ssl, void* data);
using MessageCallback = void(int writes, int version, int type, const void* bytes, size_t length,
                             ssl_st* ssl, void* data);
using BioRead = int(bio_st* bio, char* into, size_t room, size_t* got);
using BioWrite = int(bio_st* bio, const char* bytes, size_t length, size_t* taken);
using BioControl = long(bio_st* bio, int command, long number, void* pointer);

}  // namespace ringpoll::tls

// F(name, what it returns, its arguments in parentheses)
#define RINGPOLL_OPENSSL_GENERAL(F)                                        \
  F(OpenSSL_version_num, unsigned long, (void))                            \
  F(OpenSSL_version, const char*, (int what))                              \
  F(OPENSSL_cleanse, void, (void* memory, size_t bytes))                   \
  F(CRYPTO_free, void, (void* memory, const char* file, int line))         \
  F(CRYPTO_malloc, void*, (size_t bytes, const char* file, int line))      \
  F(CRYPTO_memcmp, int, (const void* a, const void* b, size_t bytes))      \
  F(RAND_bytes, int, (unsigned char* into, int bytes))                     \
  F(ERR_get_error, unsigned long, (void))                                  \
  F(ERR_peek_error, unsigned long, (void))                                 \
  F(ERR_peek_last_error, unsigned long, (void))                            \
  F(ERR_clear_error, void, (void))                                         \
  F(ERR_set_mark, int, (void))                                             \
  F(ERR_pop_to_mark, int, (void))                                          \
  F(ERR_reason_error_string, const char*, (unsigned long error))           \
  F(ERR_lib_error_string, const char*, (unsigned long error))              \
  F(OPENSSL_sk_num, int, (const stack_st* stack))                          \
  F(OPENSSL_sk_value, void*, (const stack_st* stack, int i))               \
  F(OPENSSL_sk_new_null, stack_st*, (void))                                \
  F(OPENSSL_sk_push, int, (stack_st * stack, const void* value))           \
  F(OPENSSL_sk_free, void, (stack_st * stack))                             \
  F(OPENSSL_sk_pop_free, void, (stack_st * stack, void (*release)(void*))) \
  F(OBJ_nid2sn, const char*, (int nid))                                    \
  F(OBJ_sn2nid, int, (const char* name))

#define RINGPOLL_OPENSSL_BIO(F)                                                            \
  F(BIO_get_new_index, int, (void))                                                        \
  F(BIO_meth_new, bio_method_st*, (int type, const char* name))                            \
  F(BIO_meth_free, void, (bio_method_st * method))                                         \
  F(BIO_meth_set_read_ex, int, (bio_method_st * method, ringpoll::tls::BioRead * read))    \
  F(BIO_meth_set_write_ex, int, (bio_method_st * method, ringpoll::tls::BioWrite * write)) \
  F(BIO_meth_set_ctrl, int, (bio_method_st * method, ringpoll::tls::BioControl * control)) \
  F(BIO_meth_set_create, int, (bio_method_st * method, int (*create)(bio_st*)))            \
  F(BIO_meth_set_destroy, int, (bio_method_st * method, int (*destroy)(bio_st*)))          \
  F(BIO_new, bio_st*, (const bio_method_st* method))                                       \
  F(BIO_free, int, (bio_st * bio))                                                         \
  F(BIO_up_ref, int, (bio_st * bio))                                                       \
  F(BIO_set_data, void, (bio_st * bio, void* data))                                        \
  F(BIO_get_data, void*, (bio_st * bio))                                                   \
  F(BIO_set_init, void, (bio_st * bio, int init))                                          \
  F(BIO_set_flags, void, (bio_st * bio, int flags))                                        \
  F(BIO_clear_flags, void, (bio_st * bio, int flags))                                      \
  F(BIO_test_flags, int, (const bio_st* bio, int flags))                                   \
  F(BIO_s_mem, const bio_method_st*, (void))                                               \
  F(BIO_new_mem_buf, bio_st*, (const void* bytes, int length))                             \
  F(BIO_read, int, (bio_st * bio, void* into, int room))                                   \
  F(BIO_write, int, (bio_st * bio, const void* bytes, int length))                         \
  F(BIO_ctrl, long, (bio_st * bio, int command, long number, void* pointer))

#define RINGPOLL_OPENSSL_CTX(F)                                                                    \
  F(TLS_method, const ssl_method_st*, (void))                                                      \
  F(SSL_CTX_new, ssl_ctx_st*, (const ssl_method_st* method))                                       \
  F(SSL_CTX_free, void, (ssl_ctx_st * ctx))                                                        \
  F(SSL_CTX_up_ref, int, (ssl_ctx_st * ctx))                                                       \
  F(SSL_CTX_ctrl, long, (ssl_ctx_st * ctx, int command, long number, void* pointer))               \
  F(SSL_CTX_callback_ctrl, long, (ssl_ctx_st * ctx, int command, void (*callback)(void)))          \
  F(SSL_CTX_set_options, uint64_t, (ssl_ctx_st * ctx, uint64_t options))                           \
  F(SSL_CTX_clear_options, uint64_t, (ssl_ctx_st * ctx, uint64_t options))                         \
  F(SSL_CTX_get_options, uint64_t, (const ssl_ctx_st* ctx))                                        \
  F(SSL_CTX_set_ex_data, int, (ssl_ctx_st * ctx, int index, void* data))                           \
  F(SSL_CTX_get_ex_data, void*, (const ssl_ctx_st* ctx, int index))                                \
  F(SSL_CTX_use_certificate, int, (ssl_ctx_st * ctx, x509_st * certificate))                       \
  F(SSL_CTX_get0_certificate, x509_st*, (const ssl_ctx_st* ctx))                                   \
  F(SSL_CTX_use_PrivateKey, int, (ssl_ctx_st * ctx, evp_pkey_st * key))                            \
  F(SSL_CTX_check_private_key, int, (const ssl_ctx_st* ctx))                                       \
  F(SSL_CTX_set_cipher_list, int, (ssl_ctx_st * ctx, const char* names))                           \
  F(SSL_CTX_set_ciphersuites, int, (ssl_ctx_st * ctx, const char* names))                          \
  F(SSL_CTX_set_verify, void,                                                                      \
    (ssl_ctx_st * ctx, int mode, ringpoll::tls::VerifyCallback* callback))                         \
  F(SSL_CTX_set_verify_depth, void, (ssl_ctx_st * ctx, int depth))                                 \
  F(SSL_CTX_set_cert_store, void, (ssl_ctx_st * ctx, x509_store_st * store))                       \
  F(SSL_CTX_set1_cert_store, void, (ssl_ctx_st * ctx, x509_store_st * store))                      \
  F(SSL_CTX_get_cert_store, x509_store_st*, (const ssl_ctx_st* ctx))                               \
  F(SSL_CTX_get0_param, X509_VERIFY_PARAM_st*, (ssl_ctx_st * ctx))                                 \
  F(SSL_CTX_add_client_CA, int, (ssl_ctx_st * ctx, x509_st * certificate))                         \
  F(SSL_CTX_set_alpn_protos, int,                                                                  \
    (ssl_ctx_st * ctx, const unsigned char* protocols, unsigned bytes))                            \
  F(SSL_CTX_set_alpn_select_cb, void,                                                              \
    (ssl_ctx_st * ctx, ringpoll::tls::AlpnCallback * callback, void* data))                        \
  F(SSL_CTX_set_client_hello_cb, void,                                                             \
    (ssl_ctx_st * ctx, ringpoll::tls::HelloCallback * callback, void* data))                       \
  F(SSL_CTX_set_tlsext_ticket_key_evp_cb, int,                                                     \
    (ssl_ctx_st * ctx, ringpoll::tls::TicketKeyCallback * callback))                               \
  F(SSL_CTX_set_session_id_context, int,                                                           \
    (ssl_ctx_st * ctx, const unsigned char* context, unsigned bytes))                              \
  F(SSL_CTX_set_timeout, long, (ssl_ctx_st * ctx, long seconds))                                   \
  F(SSL_CTX_get_timeout, long, (const ssl_ctx_st* ctx))                                            \
  F(SSL_CTX_set_num_tickets, int, (ssl_ctx_st * ctx, size_t count))                                \
  F(SSL_CTX_set_max_early_data, int, (ssl_ctx_st * ctx, uint32_t bytes))                           \
  F(SSL_CTX_set_recv_max_early_data, int, (ssl_ctx_st * ctx, uint32_t bytes))                      \
  F(SSL_CTX_set_info_callback, void, (ssl_ctx_st * ctx, ringpoll::tls::InfoCallback * callback))   \
  F(SSL_CTX_set_msg_callback, void, (ssl_ctx_st * ctx, ringpoll::tls::MessageCallback * callback)) \
  F(SSL_CTX_set_keylog_callback, void,                                                             \
    (ssl_ctx_st * ctx, ringpoll::tls::KeylogCallback * callback))                                  \
  F(SSL_CTX_sess_set_new_cb, void, (ssl_ctx_st * ctx, ringpoll::tls::SessionCallback * callback))  \
  F(SSL_CTX_sess_set_remove_cb, void,                                                              \
    (ssl_ctx_st * ctx, void (*callback)(ssl_ctx_st*, ssl_session_st*)))                            \
  F(SSL_CTX_flush_sessions, void, (ssl_ctx_st * ctx, long now))                                    \
  F(SSL_CTX_set_security_level, void, (ssl_ctx_st * ctx, int level))                               \
  F(SSL_CTX_get_security_level, int, (const ssl_ctx_st* ctx))                                      \
  F(SSL_CTX_set_block_padding, int, (ssl_ctx_st * ctx, size_t bytes))                              \
  F(SSL_CTX_set_post_handshake_auth, void, (ssl_ctx_st * ctx, int on))

#define RINGPOLL_OPENSSL_SSL(F)                                                                    \
  F(SSL_new, ssl_st*, (ssl_ctx_st * ctx))                                                          \
  F(SSL_free, void, (ssl_st * ssl))                                                                \
  F(SSL_ctrl, long, (ssl_st * ssl, int command, long number, void* pointer))                       \
  F(SSL_set_ex_data, int, (ssl_st * ssl, int index, void* data))                                   \
  F(SSL_get_ex_data, void*, (const ssl_st* ssl, int index))                                        \
  F(SSL_get_SSL_CTX, ssl_ctx_st*, (const ssl_st* ssl))                                             \
  F(SSL_set_SSL_CTX, ssl_ctx_st*, (ssl_st * ssl, ssl_ctx_st * ctx))                                \
  F(SSL_set_options, uint64_t, (ssl_st * ssl, uint64_t options))                                   \
  F(SSL_clear_options, uint64_t, (ssl_st * ssl, uint64_t options))                                 \
  F(SSL_set_bio, void, (ssl_st * ssl, bio_st * read, bio_st * write))                              \
  F(SSL_get_rbio, bio_st*, (const ssl_st* ssl))                                                    \
  F(SSL_get_wbio, bio_st*, (const ssl_st* ssl))                                                    \
  F(SSL_set_accept_state, void, (ssl_st * ssl))                                                    \
  F(SSL_set_connect_state, void, (ssl_st * ssl))                                                   \
  F(SSL_is_server, int, (const ssl_st* ssl))                                                       \
  F(SSL_do_handshake, int, (ssl_st * ssl))                                                         \
  F(SSL_is_init_finished, int, (const ssl_st* ssl))                                                \
  F(SSL_in_before, int, (const ssl_st* ssl))                                                       \
  F(SSL_read_ex, int, (ssl_st * ssl, void* into, size_t room, size_t* got))                        \
  F(SSL_peek_ex, int, (ssl_st * ssl, void* into, size_t room, size_t* got))                        \
  F(SSL_write_ex, int, (ssl_st * ssl, const void* bytes, size_t length, size_t* taken))            \
  F(SSL_pending, int, (const ssl_st* ssl))                                                         \
  F(SSL_has_pending, int, (const ssl_st* ssl))                                                     \
  F(SSL_shutdown, int, (ssl_st * ssl))                                                             \
  F(SSL_set_shutdown, void, (ssl_st * ssl, int mode))                                              \
  F(SSL_get_shutdown, int, (const ssl_st* ssl))                                                    \
  F(SSL_set_quiet_shutdown, void, (ssl_st * ssl, int on))                                          \
  F(SSL_get_error, int, (const ssl_st* ssl, int result))                                           \
  F(SSL_want, int, (const ssl_st* ssl))                                                            \
  F(SSL_version, int, (const ssl_st* ssl))                                                         \
  F(SSL_get_version, const char*, (const ssl_st* ssl))                                             \
  F(SSL_get_current_cipher, const ssl_cipher_st*, (const ssl_st* ssl))                             \
  F(SSL_get_pending_cipher, const ssl_cipher_st*, (const ssl_st* ssl))                             \
  F(SSL_CIPHER_get_name, const char*, (const ssl_cipher_st* cipher))                               \
  F(SSL_CIPHER_standard_name, const char*, (const ssl_cipher_st* cipher))                          \
  F(SSL_CIPHER_get_id, uint32_t, (const ssl_cipher_st* cipher))                                    \
  F(SSL_CIPHER_get_bits, int, (const ssl_cipher_st* cipher, int* algorithmBits))                   \
  F(SSL_CIPHER_get_handshake_digest, const evp_md_st*, (const ssl_cipher_st* cipher))              \
  F(SSL_get0_alpn_selected, void,                                                                  \
    (const ssl_st* ssl, const unsigned char** protocol, unsigned* bytes))                          \
  F(SSL_set_alpn_protos, int, (ssl_st * ssl, const unsigned char* protocols, unsigned bytes))      \
  F(SSL_get_servername, const char*, (const ssl_st* ssl, int type))                                \
  F(SSL_client_hello_get0_ext, int,                                                                \
    (ssl_st * ssl, unsigned type, const unsigned char** bytes, size_t* length))                    \
  F(SSL_set_verify, void, (ssl_st * ssl, int mode, ringpoll::tls::VerifyCallback* callback))       \
  F(SSL_get_verify_result, long, (const ssl_st* ssl))                                              \
  F(SSL_set_verify_result, void, (ssl_st * ssl, long result))                                      \
  F(SSL_get0_param, X509_VERIFY_PARAM_st*, (ssl_st * ssl))                                         \
  F(SSL_set_hostflags, void, (ssl_st * ssl, unsigned flags))                                       \
  F(SSL_set1_host, int, (ssl_st * ssl, const char* name))                                          \
  F(SSL_get_certificate, x509_st*, (const ssl_st* ssl))                                            \
  F(SSL_get1_peer_certificate, x509_st*, (const ssl_st* ssl))                                      \
  F(SSL_get0_peer_certificate, x509_st*, (const ssl_st* ssl))                                      \
  F(SSL_get_peer_cert_chain, stack_st_X509*, (const ssl_st* ssl))                                  \
  F(SSL_get0_verified_chain, stack_st_X509*, (const ssl_st* ssl))                                  \
  F(SSL_set_session_id_context, int, (ssl_st * ssl, const unsigned char* context, unsigned bytes)) \
  F(SSL_set_session, int, (ssl_st * ssl, ssl_session_st * session))                                \
  F(SSL_get_session, ssl_session_st*, (const ssl_st* ssl))                                         \
  F(SSL_get1_session, ssl_session_st*, (ssl_st * ssl))                                             \
  F(SSL_session_reused, int, (const ssl_st* ssl))                                                  \
  F(SSL_SESSION_up_ref, int, (ssl_session_st * session))                                           \
  F(SSL_SESSION_free, void, (ssl_session_st * session))                                            \
  F(SSL_SESSION_is_resumable, int, (const ssl_session_st* session))                                \
  F(SSL_SESSION_get_protocol_version, int, (const ssl_session_st* session))                        \
  F(SSL_SESSION_get_time, long, (const ssl_session_st* session))                                   \
  F(SSL_SESSION_get_timeout, long, (const ssl_session_st* session))                                \
  F(SSL_SESSION_get_ticket_lifetime_hint, unsigned long, (const ssl_session_st* session))          \
  F(SSL_SESSION_has_ticket, int, (const ssl_session_st* session))                                  \
  F(i2d_SSL_SESSION, int, (const ssl_session_st* session, unsigned char** into))                   \
  F(d2i_SSL_SESSION, ssl_session_st*,                                                              \
    (ssl_session_st * *session, const unsigned char** bytes, long length))                         \
  F(SSL_export_keying_material, int,                                                               \
    (ssl_st * ssl, unsigned char* into, size_t room, const char* label, size_t labelBytes,         \
     const unsigned char* context, size_t contextBytes, int useContext))                           \
  F(SSL_get_finished, size_t, (const ssl_st* ssl, void* into, size_t room))                        \
  F(SSL_get_peer_finished, size_t, (const ssl_st* ssl, void* into, size_t room))                   \
  F(SSL_key_update, int, (ssl_st * ssl, int type))                                                 \
  F(SSL_get_key_update_type, int, (const ssl_st* ssl))                                             \
  F(SSL_new_session_ticket, int, (ssl_st * ssl))                                                   \
  F(SSL_set_num_tickets, int, (ssl_st * ssl, size_t count))                                        \
  F(SSL_get_early_data_status, int, (const ssl_st* ssl))                                           \
  F(SSL_set_security_level, void, (ssl_st * ssl, int level))                                       \
  F(SSL_set_info_callback, void, (ssl_st * ssl, ringpoll::tls::InfoCallback * callback))           \
  F(SSL_set_msg_callback, void, (ssl_st * ssl, ringpoll::tls::MessageCallback * callback))         \
  F(SSL_state_string_long, const char*, (const ssl_st* ssl))                                       \
  F(SSL_alert_type_string_long, const char*, (int value))                                          \
  F(SSL_alert_desc_string_long, const char*, (int value))                                          \
  F(SSL_free_buffers, int, (ssl_st * ssl))                                                         \
  F(SSL_alloc_buffers, int, (ssl_st * ssl))

#define RINGPOLL_OPENSSL_X509(F)                                                                  \
  F(X509_free, void, (x509_st * certificate))                                                     \
  F(X509_up_ref, int, (x509_st * certificate))                                                    \
  F(X509_cmp, int, (const x509_st* a, const x509_st* b))                                          \
  F(X509_check_issued, int, (x509_st * issuer, x509_st * subject))                                \
  F(X509_check_private_key, int, (const x509_st* certificate, const evp_pkey_st* key))            \
  F(X509_get0_pubkey, evp_pkey_st*, (const x509_st* certificate))                                 \
  F(X509_get_subject_name, X509_name_st*, (const x509_st* certificate))                           \
  F(X509_get0_notAfter, const asn1_string_st*, (const x509_st* certificate))                      \
  F(X509_digest, int,                                                                             \
    (const x509_st* certificate, const evp_md_st* digest, unsigned char* into, unsigned* length)) \
  F(X509_verify_cert_error_string, const char*, (long code))                                      \
  F(i2d_X509, int, (const x509_st* certificate, unsigned char** into))                            \
  F(d2i_X509, x509_st*, (x509_st * *certificate, const unsigned char** bytes, long length))       \
  F(d2i_X509_bio, x509_st*, (bio_st * bio, x509_st * *certificate))                               \
  F(X509_CRL_free, void, (X509_crl_st * crl))                                                     \
  F(d2i_X509_CRL_bio, X509_crl_st*, (bio_st * bio, X509_crl_st * *crl))                           \
  F(X509_STORE_new, x509_store_st*, (void))                                                       \
  F(X509_STORE_free, void, (x509_store_st * store))                                               \
  F(X509_STORE_up_ref, int, (x509_store_st * store))                                              \
  F(X509_STORE_add_cert, int, (x509_store_st * store, x509_st * certificate))                     \
  F(X509_STORE_add_crl, int, (x509_store_st * store, X509_crl_st * crl))                          \
  F(X509_STORE_set_flags, int, (x509_store_st * store, unsigned long flags))                      \
  F(X509_STORE_set_default_paths, int, (x509_store_st * store))                                   \
  F(X509_STORE_CTX_new, x509_store_ctx_st*, (void))                                               \
  F(X509_STORE_CTX_free, void, (x509_store_ctx_st * context))                                     \
  F(X509_STORE_CTX_init, int,                                                                     \
    (x509_store_ctx_st * context, x509_store_st * store, x509_st * certificate,                   \
     stack_st_X509 * untrusted))                                                                  \
  F(X509_STORE_CTX_get1_issuer, int,                                                              \
    (x509_st * *issuer, x509_store_ctx_st * context, x509_st * certificate))                      \
  F(X509_STORE_CTX_get_error, int, (const x509_store_ctx_st* context))                            \
  F(X509_STORE_CTX_get_error_depth, int, (const x509_store_ctx_st* context))                      \
  F(X509_VERIFY_PARAM_set1_host, int,                                                             \
    (X509_VERIFY_PARAM_st * parameters, const char* name, size_t bytes))                          \
  F(X509_VERIFY_PARAM_set_hostflags, void, (X509_VERIFY_PARAM_st * parameters, unsigned flags))   \
  F(X509_VERIFY_PARAM_set1_ip_asc, int, (X509_VERIFY_PARAM_st * parameters, const char* address))

#define RINGPOLL_OPENSSL_PEM(F)                                                                 \
  F(PEM_read_bio_X509, x509_st*,                                                                \
    (bio_st * bio, x509_st * *certificate, ringpoll::tls::PasswordCallback * callback,          \
     void* data))                                                                               \
  F(PEM_read_bio_X509_AUX, x509_st*,                                                            \
    (bio_st * bio, x509_st * *certificate, ringpoll::tls::PasswordCallback * callback,          \
     void* data))                                                                               \
  F(PEM_read_bio_X509_CRL, X509_crl_st*,                                                        \
    (bio_st * bio, X509_crl_st * *crl, ringpoll::tls::PasswordCallback * callback, void* data)) \
  F(PEM_read_bio_PrivateKey, evp_pkey_st*,                                                      \
    (bio_st * bio, evp_pkey_st * *key, ringpoll::tls::PasswordCallback * callback, void* data)) \
  F(d2i_PrivateKey_bio, evp_pkey_st*, (bio_st * bio, evp_pkey_st * *key))                       \
  F(d2i_PKCS8PrivateKey_bio, evp_pkey_st*,                                                      \
    (bio_st * bio, evp_pkey_st * *key, ringpoll::tls::PasswordCallback * callback, void* data)) \
  F(d2i_PKCS12_bio, PKCS12_st*, (bio_st * bio, PKCS12_st * *pfx))                               \
  F(PKCS12_free, void, (PKCS12_st * pfx))                                                       \
  F(PKCS12_verify_mac, int, (PKCS12_st * pfx, const char* passphrase, int bytes))               \
  F(PKCS12_parse, int,                                                                          \
    (PKCS12_st * pfx, const char* passphrase, evp_pkey_st** key, x509_st** certificate,         \
     stack_st_X509** rest))

#define RINGPOLL_OPENSSL_EVP(F)                                                                 \
  F(EVP_PKEY_free, void, (evp_pkey_st * key))                                                   \
  F(EVP_PKEY_up_ref, int, (evp_pkey_st * key))                                                  \
  F(EVP_PKEY_get_base_id, int, (const evp_pkey_st* key))                                        \
  F(EVP_PKEY_get_bits, int, (const evp_pkey_st* key))                                           \
  F(EVP_PKEY_eq, int, (const evp_pkey_st* a, const evp_pkey_st* b))                             \
  F(EVP_sha256, const evp_md_st*, (void))                                                       \
  F(EVP_sha384, const evp_md_st*, (void))                                                       \
  F(EVP_MD_get_size, int, (const evp_md_st* digest))                                            \
  F(EVP_Digest, int,                                                                            \
    (const void* bytes, size_t length, unsigned char* into, unsigned* size,                     \
     const evp_md_st* digest, engine_st* engine))                                               \
  F(EVP_CIPHER_fetch, evp_cipher_st*,                                                           \
    (ossl_lib_ctx_st * library, const char* name, const char* properties))                      \
  F(EVP_CIPHER_free, void, (evp_cipher_st * cipher))                                            \
  F(EVP_CIPHER_get_key_length, int, (const evp_cipher_st* cipher))                              \
  F(EVP_CIPHER_CTX_new, evp_cipher_ctx_st*, (void))                                             \
  F(EVP_CIPHER_CTX_free, void, (evp_cipher_ctx_st * context))                                   \
  F(EVP_CIPHER_CTX_reset, int, (evp_cipher_ctx_st * context))                                   \
  F(EVP_CIPHER_CTX_ctrl, int,                                                                   \
    (evp_cipher_ctx_st * context, int command, int number, void* pointer))                      \
  F(EVP_EncryptInit_ex2, int,                                                                   \
    (evp_cipher_ctx_st * context, const evp_cipher_st* cipher, const unsigned char* key,        \
     const unsigned char* iv, const ossl_param_st* parameters))                                 \
  F(EVP_EncryptUpdate, int,                                                                     \
    (evp_cipher_ctx_st * context, unsigned char* into, int* length, const unsigned char* bytes, \
     int count))                                                                                \
  F(EVP_EncryptFinal_ex, int, (evp_cipher_ctx_st * context, unsigned char* into, int* length))  \
  F(EVP_DecryptInit_ex2, int,                                                                   \
    (evp_cipher_ctx_st * context, const evp_cipher_st* cipher, const unsigned char* key,        \
     const unsigned char* iv, const ossl_param_st* parameters))                                 \
  F(EVP_DecryptUpdate, int,                                                                     \
    (evp_cipher_ctx_st * context, unsigned char* into, int* length, const unsigned char* bytes, \
     int count))                                                                                \
  F(EVP_DecryptFinal_ex, int, (evp_cipher_ctx_st * context, unsigned char* into, int* length))  \
  F(EVP_MAC_CTX_set_params, int, (evp_mac_ctx_st * context, const ossl_param_st* parameters))   \
  F(EVP_MAC_init, int,                                                                          \
    (evp_mac_ctx_st * context, const unsigned char* key, size_t bytes,                          \
     const ossl_param_st* parameters))                                                          \
  F(EVP_MAC_fetch, evp_mac_st*,                                                                 \
    (ossl_lib_ctx_st * library, const char* name, const char* properties))                      \
  F(EVP_MAC_free, void, (evp_mac_st * mac))                                                     \
  F(EVP_MAC_CTX_new, evp_mac_ctx_st*, (evp_mac_st * mac))                                       \
  F(EVP_MAC_CTX_free, void, (evp_mac_ctx_st * context))                                         \
  F(EVP_MAC_update, int, (evp_mac_ctx_st * context, const unsigned char* bytes, size_t length)) \
  F(EVP_MAC_final, int,                                                                         \
    (evp_mac_ctx_st * context, unsigned char* into, size_t* length, size_t room))

#define RINGPOLL_OPENSSL(F)   \
  RINGPOLL_OPENSSL_GENERAL(F) \
  RINGPOLL_OPENSSL_BIO(F)     \
  RINGPOLL_OPENSSL_CTX(F)     \
  RINGPOLL_OPENSSL_SSL(F)     \
  RINGPOLL_OPENSSL_X509(F)    \
  RINGPOLL_OPENSSL_PEM(F)     \
  RINGPOLL_OPENSSL_EVP(F)
