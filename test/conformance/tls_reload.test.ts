// A listener's context is replaced while it runs: by hand, and when files change.
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { secureContext } from '../../lib/tls/secure_context.js';
import { ServedContext } from '../../lib/tls/served_context.js';
import { checkServerTls, type ServerTlsOptions } from '../../lib/tls/server_options.js';
import { edwards, first, type Pair, second } from '../support/tls/credentials.js';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'ringpoll-tls-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Writes both files of a pair, each renamed into its place. */
function put(into: string, { cert, key }: Pair): { certFile: string; keyFile: string } {
  const place = (name: string, text: string) => {
    const path = join(into, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  };
  return { certFile: place('own.crt', cert), keyFile: place('own.key', key) };
}

function serve(options: ServerTlsOptions) {
  const told: ('used' | Error)[] = [];
  let wake = () => {};
  const served = new ServedContext(checkServerTls(options), 'options.tls', {
    use: () => tell('used'),
    failed: (error) => tell(error),
  });
  const tell = (what: 'used' | Error) => {
    told.push(what);
    wake();
  };
  onTestFinished(() => served.close());
  const next = async () => {
    if (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return told.shift();
  };
  return { served, next, told };
}

describe('files that are watched', () => {
  it('are read again when both have changed', async () => {
    const place = folder();
    const { served, next } = serve({ ...put(place, first), watch: true });
    const before = served.current;
    put(place, second);
    expect(await next()).toBe('used');
    expect(served.current).not.toBe(before);
  });

  it('keep what was there while they do not belong together, and tell', async () => {
    const place = folder();
    const { served, next } = serve({ ...put(place, first), watch: true });
    const before = served.current;
    put(place, { ...first, key: second.key });
    expect(await next()).toMatchObject({ code: 'ERR_RINGPOLL_TLS_KEY_MISMATCH' });
    expect(served.current).toBe(before);
    put(place, second);
    expect(await next()).toBe('used');
    expect(served.current).not.toBe(before);
  });

  it('are told when they are gone', async () => {
    const place = folder();
    const files = put(place, first);
    const { served, next } = serve({ ...files, watch: true });
    const before = served.current;
    rmSync(files.keyFile);
    expect(await next()).toMatchObject({ code: 'ENOENT' });
    expect(served.current).toBe(before);
  });

  it('may be links that are set to other files', async () => {
    const place = folder();
    const link = (to: Pair, round: number) => {
      writeFileSync(join(place, `${round}.crt`), to.cert);
      writeFileSync(join(place, `${round}.key`), to.key);
      for (const kind of ['crt', 'key']) {
        symlinkSync(`${round}.${kind}`, join(place, `link.${kind}.new`));
        renameSync(join(place, `link.${kind}.new`), join(place, `link.${kind}`));
      }
    };
    link(first, 1);
    const files = { certFile: join(place, 'link.crt'), keyFile: join(place, 'link.key') };
    const { next } = serve({ ...files, watch: true });
    link(second, 2);
    expect(await next()).toBe('used');
  });

  it('are left alone while only other files of their folder change', async () => {
    const place = folder();
    const { served, told } = serve({ ...put(place, first), watch: true });
    const before = served.current;
    const other = join(place, 'other.crt');
    writeFileSync(other, edwards.cert);
    writeFileSync(join(place, 'other.key'), edwards.key);
    // It sees the same changes, and says when it has looked.
    const witness = serve({ certFile: other, keyFile: join(place, 'other.key'), watch: true });
    put(place, first);
    writeFileSync(other, edwards.cert + first.cert);
    expect(await witness.next()).toBe('used');
    expect(told).toEqual([]);
    expect(served.current).toBe(before);
  });
});

describe('a context that is set by hand', () => {
  it('serves from then on, made or as options, and ends watching', async () => {
    const place = folder();
    const { served, next, told } = serve({ ...put(place, first), watch: true });
    const made = secureContext(second);
    served.set(made);
    expect(await next()).toBe('used');
    expect(served.current).toBe(made);
    served.set(first);
    expect(await next()).toBe('used');
    const other = serve({ ...put(place, first), watch: true });
    put(place, second);
    expect(await other.next()).toBe('used');
    expect(told).toEqual([]);
  });

  it('is refused without a certificate, and the one before is kept', () => {
    const { served, told } = serve(first);
    const before = served.current;
    expect(() => served.set({})).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_TLS_NO_CERTIFICATE' }),
    );
    expect(() => served.set({ cert: first.cert, key: second.key })).toThrow(/belongs to none/);
    expect(() => served.set({ sni: {}, certFile: 'x' } as never)).toThrow(/certFile/);
    expect(served.current).toBe(before);
    expect(told).toEqual([]);
  });
});

describe('options of files', () => {
  it.each<[object, string]>([
    [{ watch: true, ...first }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ certFile: 'x', ...first }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ certFile: 5 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ certFile: '/nowhere/x', keyFile: '/nowhere/y' }, 'ENOENT'],
    [{ secureContext: 5 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ SNICallback: 5, ...first }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ handshakeTimeout: -1, ...first }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ servername: 'x', ...first }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
  ])('%j end in %s', (options, code) => {
    expect(() => checkServerTls(options)).toThrow(expect.objectContaining({ code }));
  });
});
