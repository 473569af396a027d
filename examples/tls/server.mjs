// HTTPS for clients with a certificate: `node examples/tls/server.mjs [PORT]`. CERT, KEY and CA
// name files in PEM; CA has issued the clients' certificates. They may be renewed while it runs.
// This makes one that does for all three, and for the client beside this one:
//
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
//     -subj /CN=localhost -addext subjectAltName=DNS:localhost \
//     -keyout privkey.pem -out fullchain.pem
import { serve } from 'ringpoll/http';

const { CERT = 'fullchain.pem', KEY = 'privkey.pem', CA = CERT } = process.env;

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8443),
  tls: { certFile: CERT, keyFile: KEY, caFile: CA, watch: true, requestCert: true },
  tlsError: (error) => console.error(error.code, error.message),
  fetch: (request) => new Response(`You have asked for ${request.url}\n`),
});
console.log(`https://localhost:${server.port}/`);

process.once('SIGINT', () => server.stop());
process.once('SIGTERM', () => server.stop());
