// Who takes part in the TLS suite: the rivals, each with a key on P-256 and with one of RSA-2048,
// and with a body of 13 bytes or of a megabyte. ringpoll has no TLS, so it is not among them.
import { join } from 'node:path';
import { bunBinary, npmPeers } from '../lib/build.mjs';
import { certificateFiles, makeCertificate } from '../lib/certificate.mjs';
import { PEERS } from '../lib/paths.mjs';

const KEYS = ['ec', 'rsa'];
const BODIES = ['plain', 'megabyte'];

function rival(name, install, interpreter, script, key, body) {
  return {
    name,
    key,
    body,
    env: certificateFiles(key),
    async prepare() {
      await install();
      await makeCertificate(key);
    },
    command: async (port) => [await interpreter(), join(PEERS, script), String(port), body],
  };
}

const onNode = () => process.execPath;

export const NAMES = ['uws', 'bun', 'node-https'];

export const competitors = KEYS.flatMap((key) =>
  BODIES.flatMap((body) => [
    rival('uws', npmPeers, onNode, 'https-uws.mjs', key, body),
    rival('bun', bunBinary, bunBinary, 'https-bun.mjs', key, body),
    rival('node-https', () => undefined, onNode, 'https-node.mjs', key, body),
  ]),
);
