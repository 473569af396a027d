// A TCP proxy: `node examples/proxy/server.mjs PORT HOST:PORT`. PROXY=1 or PROXY=2 sends the
// header of the PROXY protocol to the target. CERT and KEY name files in PEM: clients speak TLS
// then, and the target does not.
import { serveProxy } from './proxy.mjs';

const { CERT, KEY, PROXY = '0' } = process.env;
const [port = '8000', target = '127.0.0.1:8001'] = process.argv.slice(2);
const at = target.lastIndexOf(':');

const listener = serveProxy({
  host: '127.0.0.1',
  port: Number(port),
  target: { host: target.slice(0, at), port: Number(target.slice(at + 1)) },
  proxyProtocol: Number(PROXY),
  tls: CERT === undefined ? undefined : { certFile: CERT, keyFile: KEY },
  tlsError: CERT === undefined ? undefined : (error) => console.error(error.code, error.message),
  onError: (error) => console.error(error.code, error.message),
});
console.log(`proxy on port ${listener.port} to ${target}`);

process.once('SIGINT', () => listener.stop());
process.once('SIGTERM', () => listener.stop());
