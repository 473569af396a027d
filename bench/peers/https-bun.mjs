// Bun.serve with TLS: `bun https-bun.mjs PORT [plain|megabyte]`.
// TLS_CERT and TLS_KEY name PEM files.
const bodies = { plain: 'Hello, World!', megabyte: new Uint8Array(1 << 20).fill(33) };
const body = bodies[process.argv[3] ?? 'plain'];

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  development: false,
  tls: { cert: Bun.file(process.env.TLS_CERT), key: Bun.file(process.env.TLS_KEY) },
  fetch: () => new Response(body),
});
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => process.exit(0));
