// What the programs share: each prints what it saw, line by line, and is compared with itself on
// plain Node. It must end by itself: what keeps the process alive is compared too.
import { createHash } from 'node:crypto';
import { once } from 'node:events';

/** A line of the result. */
export function say(what, value) {
  console.log(`${what}: ${JSON.stringify(value)}`);
}

export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** How a promise was rejected, without what differs from run to run. */
export async function failure(work) {
  try {
    await work;
    return 'none';
  } catch ({ code, name }) {
    return `${name} ${code}`;
  }
}

export async function listening(server, ...where) {
  server.listen(...(where.length > 0 ? where : [0, '127.0.0.1']));
  await once(server, 'listening');
  return server.address().port;
}

export const closed = (server) => new Promise((resolve) => server.close(resolve));

/** The events of an emitter that come in this order. */
export async function next(emitter, event) {
  return await once(emitter, event);
}
