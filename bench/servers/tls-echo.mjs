// TLS echo on ringpoll: `node bench/servers/tls-echo.mjs PORT`, as tcp-echo.mjs is without TLS. For
// TLS_CERT, TLS_KEY, TLS_MIN and TLS_MAX see bench/lib/server_tls.mjs.
import { serveEcho } from '../lib/echo.mjs';
import { serverTls } from '../lib/server_tls.mjs';

serveEcho({ tls: await serverTls() });
