// The lane that fuzzes the HTTP parsers.
// By hand: node test/lanes/fuzz_http.mjs [SECONDS]
import { fileURLToPath } from 'node:url';
import { includes, parserSources } from '../http/parser_sources.mjs';
import { PREFACES, VALID_REQUESTS } from '../http/valid_requests.mjs';
import { VALID_RESPONSES } from '../http/valid_responses.mjs';
import { fuzzLane } from '../support/fuzz-lane.mjs';

export const name = 'fuzz http';

// The first two bytes choose options.
const optioned = (texts) => texts.map((text) => `\0\0${text}`);
const seeds = {
  request_fuzz: optioned(VALID_REQUESTS),
  response_fuzz: optioned(VALID_RESPONSES),
  preface_fuzz: PREFACES,
};

const lane = fuzzLane({
  part: 'http',
  targets: { request_fuzz: 16, response_fuzz: 8, preface_fuzz: 4 },
  flags: includes,
  sources: () => parserSources,
  seeds: (target) => seeds[target],
  dictionary: 'http.dict',
});

export const { oneCpu, prepare, run } = lane;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await lane.byHand(Number(process.argv[2] ?? 0));
}
