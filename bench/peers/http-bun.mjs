// Bun.serve: `bun http-bun.mjs PORT [fetch|static|headers|json|upload|download]`. A static route
// answers without JavaScript.
const HELLO = 'Hello, World!';
const bytes = new Uint8Array(100 * 1024).fill(120);
let seen = 0;

const handlers = {
  fetch: () => new Response(HELLO),
  static: () => new Response(HELLO),
  headers(request) {
    seen += request.headers.get('user-agent').length;
    seen += request.headers.get('accept-language').length;
    seen += request.headers.get('cookie').length;
    return new Response(HELLO);
  },
  json: () => Response.json({ message: HELLO }),
  async upload(request) {
    seen += (await request.arrayBuffer()).byteLength;
    return new Response(HELLO);
  },
  download: () => new Response(bytes),
};

const mode = process.argv[3] ?? 'fetch';
const options = {
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  development: false,
  fetch: handlers[mode],
};
if (mode === 'static') options.routes = { '/': new Response(HELLO) };
const server = Bun.serve(options);
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => process.exit(seen < 0 ? 1 : 0));
