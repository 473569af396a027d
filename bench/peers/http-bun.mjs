// Bun.serve: `bun http-bun.mjs PORT [fetch|static]`. A static route answers without JavaScript.
const mode = process.argv[3] ?? 'fetch';
const options = {
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  development: false,
  fetch() {
    return new Response('Hello, World!');
  },
};
if (mode === 'static') options.routes = { '/': new Response('Hello, World!') };
const server = Bun.serve(options);
console.log(`ready ${server.port}`);
process.on('SIGTERM', () => process.exit(0));
