// Certificates for the rivals over TLS, signed by themselves, made anew when they are a day old.
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from './build.mjs';
import { BUILD } from './paths.mjs';
import { hasCommand, run } from './process.mjs';

const KEYS = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
};
const DAY_MS = 86_400_000;
const VALID_DAYS = '7';

const FOLDER = join(BUILD, 'certificates');

/** Where the pair with a key of this kind, `ec` or `rsa`, is once it was made. */
export function certificateFiles(kind) {
  return { TLS_CERT: join(FOLDER, `${kind}.crt`), TLS_KEY: join(FOLDER, `${kind}.key`) };
}

export async function makeCertificate(kind) {
  const { TLS_CERT, TLS_KEY } = certificateFiles(kind);
  if (existsSync(TLS_CERT) && Date.now() - statSync(TLS_CERT).mtimeMs < DAY_MS) return;
  if (!hasCommand('openssl')) throw new Unavailable('no openssl');
  mkdirSync(FOLDER, { recursive: true });
  const files = ['-keyout', TLS_KEY, '-out', TLS_CERT];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const own = ['req', '-x509', '-nodes', '-days', VALID_DAYS];
  await run(['openssl', ...own, ...KEYS[kind], ...files, ...subject]);
}
