// Who takes part in the TLS suite, each with a key on P-256 and with one of RSA-2048, and with a
// body of 13 bytes or of a megabyte.
import { join } from 'node:path';
import { bunBinary, npmPeers, Unavailable } from '../lib/build.mjs';
import { certificateFiles, makeCertificate } from '../lib/certificate.mjs';
import { BUILD, PEERS } from '../lib/paths.mjs';
import { hasCommand } from '../lib/process.mjs';
import { ringpoll } from './echo.mjs';

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

function ours(name, key, body) {
  const base = ringpoll(name, 'https-plaintext.mjs', name.replace('ringpoll-', ''));
  return {
    ...base,
    key,
    body,
    env: { ...base.env, ...certificateFiles(key) },
    async prepare() {
      base.prepare();
      await makeCertificate(key);
    },
    command: (port) => [...base.command(port), body],
  };
}

const nginx = {
  name: 'nginx',
  key: 'ec',
  body: 'megabyte',
  ready: 'connect',
  env: certificateFiles('ec'),
  async prepare() {
    if (!hasCommand('nginx')) throw new Unavailable('no nginx');
    await makeCertificate('ec');
  },
  command(port) {
    return ['sh', join(PEERS, 'nginx.sh'), String(port), join(BUILD, 'nginx-tls'), 'megabyte'];
  },
};

const onNode = () => process.execPath;

export const HYBRID = 'ringpoll-hybrid';
export const ENGINES = ['ringpoll-poll', 'ringpoll-uring', HYBRID];
export const NAMES = ['uws', 'bun', 'node-https', 'nginx', ...ENGINES];

export const competitors = [
  ...KEYS.flatMap((key) =>
    BODIES.flatMap((body) => [
      rival('uws', npmPeers, onNode, 'https-uws.mjs', key, body),
      rival('bun', bunBinary, bunBinary, 'https-bun.mjs', key, body),
      rival('node-https', () => undefined, onNode, 'https-node.mjs', key, body),
      ...ENGINES.map((name) => ours(name, key, body)),
    ]),
  ),
  nginx,
];
