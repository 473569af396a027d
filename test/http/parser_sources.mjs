// The sources of the parsers, which need nothing else of native/core: the driver and the fuzzer
// are built from them alone.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(top, 'native/core/http/parser');

const NAMES = [
  'body_decoder',
  'errors',
  'framing',
  'head_memory',
  'methods',
  'proxy',
  'request_parser',
  'response_parser',
  'sniff',
  'target',
  'trailer_parser',
];

export const includes = ['-I', join(top, 'native'), '-I', join(top, 'test')];

export const parserSources = NAMES.map((name) => join(folder, `${name}.cc`));

/** Whatever the sources may include. */
export const parserHeaders = [folder, join(top, 'test/http')].flatMap((path) =>
  readdirSync(path)
    .filter((name) => name.endsWith('.h'))
    .map((name) => join(path, name)),
);
