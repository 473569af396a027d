// Secure contexts, which listeners, servers and clients share.
export type { TlsReport } from '../runtime/native_tls.js';
export type { ClientTlsOptions } from './client_options.js';
export type {
  EncryptedKey,
  EncryptedPfx,
  Pem,
  TlsVersion,
} from './context_options.js';
export type { FileOptions } from './files.js';
export type { TlsMetrics } from './metrics.js';
export { SecureContext, type SecureContextOptions, secureContext } from './secure_context.js';
export type { ServerTlsOptions, SNICallback } from './server_options.js';
