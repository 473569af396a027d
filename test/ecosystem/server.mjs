// node server.mjs APP FACE: serves an app of apps/ by @hono/node-server, or by the ringpoll whose
// entry the environment names, and says on which port.
const [app, face] = process.argv.slice(2);
const { fetch } = await import(`./apps/${app}.mjs`);
const where = { hostname: '127.0.0.1', port: 0 };

if (face === 'node-server') {
  const { serve } = await import('@hono/node-server');
  serve({ fetch, ...where }, ({ port }) => console.log(`ready ${port}`));
} else {
  const { serve } = await import(process.env.RINGPOLL_HTTP);
  const error = (thrown, request) => console.error(request?.method, request?.path, thrown);
  const { port } = serve({ fetch, host: where.hostname, port: where.port, error });
  console.log(`ready ${port}`);
}
// The lane ends it; without the lane there is nobody to serve.
process.stdin.on('end', () => process.exit(0)).resume();
