// The root certificates that Node trusts, as native code holds them.
import { fs, tls } from '../builtins.js';
import { native } from '../runtime/native.js';
import type { NativeRoots } from '../runtime/native_tls.js';

type Tls = typeof import('node:tls') & {
  /** Since Node 22.15 and 23.10. */
  getCACertificates?(type?: string): readonly string[];
};

let madeOf: readonly string[] | undefined;
let made: NativeRoots | undefined;

/**
 * Made at the first use, which takes milliseconds; again only when the program has called
 * `tls.setDefaultCACertificates()`.
 */
export function defaultRoots(): NativeRoots | undefined {
  if (usesOpenSslRoots()) {
    made ??= native().tlsRoots(undefined);
    return made;
  }
  const list = listOfNode();
  if (made === undefined || madeOf !== list) {
    made = native().tlsRoots(list.map((pem) => Buffer.from(pem)));
    madeOf = list;
  }
  return made;
}

function listOfNode(): readonly string[] {
  const node = tls() as Tls;
  if (node.getCACertificates !== undefined) return node.getCACertificates('default');
  oldList ??= [...node.rootCertificates, ...extraCertificates()];
  return oldList;
}

let oldList: readonly string[] | undefined;

/** Node reads the file when it starts, and warns by itself when it cannot. */
function extraCertificates(): string[] {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  if (file === undefined || file === '') return [];
  try {
    return [fs().readFileSync(file, 'utf8')];
  } catch {
    return [];
  }
}

function usesOpenSslRoots(): boolean {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  const chosen = options.filter((option) => /^--use-(openssl|bundled)-ca$/.test(option));
  return chosen.at(-1) === '--use-openssl-ca';
}
