// Every page of the docs, in the group that says what it is for. A test holds the list complete.
export const groups = [
  {
    text: 'Tutorial',
    items: [['Getting started', 'getting-started']],
  },
  {
    text: 'How to',
    items: [
      ['Frame messages', 'how-to/framing'],
      ['Proxy TCP', 'how-to/proxying'],
      ['Run behind nginx or HAProxy', 'how-to/behind-a-proxy'],
      ['Test with node:test, Vitest or Jest', 'how-to/testing'],
      ['Use cluster and PM2', 'how-to/cluster'],
      ['Log and watch', 'how-to/logging'],
      ['Deploy', 'deployment'],
      ['Hold very many connections', 'scale'],
      ['Bundle', 'bundling'],
    ],
  },
  {
    text: 'Migrating from',
    items: [
      ['node:net', 'migrating/node-net'],
      ['node:http', 'migrating/node-http'],
      ['Express', 'migrating/express'],
      ['ws', 'migrating/ws'],
      ['uWebSockets.js', 'migrating/uwebsockets'],
      ['Socket.IO', 'migrating/socket-io'],
      ['Bun', 'migrating/bun'],
    ],
  },
  {
    text: 'Reference',
    items: [
      ['TCP', 'tcp'],
      ['HTTP server', 'http'],
      ['HTTP client', 'client'],
      ['WebSocket', 'websocket'],
      ['UDP', 'udp'],
      ['node:net on ringpoll', 'faces'],
      ['Threads', 'threads'],
      ['Observability', 'observability'],
      ['TLS', 'tls'],
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
    text: 'Help',
    items: [['Questions and answers', 'faq']],
  },
  { text: 'Contributing', items: [['Hacking', 'hacking']] },
];
