// Every page of the docs, in the group that says what it is for. A test holds the list complete.
export const groups = [
  {
    text: 'Reference',
    items: [
      ['HTTP server', 'http'],
      ['HTTP parser: what is refused', 'http-parser'],
      ['Files', 'fs'],
      ['Scheduler', 'scheduler'],
      ['Metrics', 'metrics'],
      ['Command line', 'cli'],
      ['Error codes', 'errors'],
      ['Platforms', 'platforms'],
    ],
  },
  {
    text: 'Explanation',
    items: [
      ['Architecture', 'architecture'],
      ['Engines', 'engines'],
      ['Buffers', 'buffers'],
      ['Backpressure', 'backpressure'],
      ['Benchmarks', 'benchmarks'],
    ],
  },
  {
    text: 'How to',
    items: [['Deploy', 'deployment']],
  },
  { text: 'Contributing', items: [['Hacking', 'hacking']] },
];
