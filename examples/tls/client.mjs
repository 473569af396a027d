// A client with a certificate: `node examples/tls/client.mjs [PORT]` asks server.mjs beside it for
// a page, and says what was agreed on. CERT and KEY are its own, CA is whom it trusts.
import { readFileSync } from 'node:fs';
import { connect } from 'ringpoll';

const { CERT = 'fullchain.pem', KEY = 'privkey.pem', CA = CERT } = process.env;

const connection = await connect({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8443),
  tls: {
    cert: readFileSync(CERT),
    key: readFileSync(KEY),
    ca: readFileSync(CA),
    servername: 'localhost',
  },
  data: (_connection, chunk) => process.stdout.write(chunk.toString()),
  close: (_connection, error) => error && console.error(error.message),
});
const { protocol, cipher } = connection.tls;
console.log(`${protocol}, ${cipher}, ${connection.tls.peerCertificate().subject}`);
connection.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
