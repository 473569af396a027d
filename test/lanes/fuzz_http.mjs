// The lane that fuzzes the HTTP parsers.
// By hand: node test/lanes/fuzz_http.mjs [SECONDS]
import { fileURLToPath } from 'node:url';
import { includes, parserSources } from '../http/parser_sources.mjs';
import { PREFACES, VALID_REQUESTS } from '../http/valid_requests.mjs';
import { fuzzLane } from '../support/fuzz-lane.mjs';

export const name = 'fuzz http';

const lane = fuzzLane({
  part: 'http',
  targets: { request_fuzz: 16, preface_fuzz: 4 },
  flags: includes,
  sources: () => parserSources,
  // request_fuzz takes its options from the first two bytes.
  seeds: (target) =>
    target === 'request_fuzz' ? VALID_REQUESTS.map((text) => `\0\0${text}`) : PREFACES,
  dictionary: 'http.dict',
});

export const { oneCpu, prepare, run } = lane;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await lane.byHand(Number(process.argv[2] ?? 0));
}
