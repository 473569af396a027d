// A TCP proxy: every connection to it is joined with a connection of its own to the target.
import { connect, listen, pipeline } from 'ringpoll';
import { proxyHeader } from './header.mjs';

/**
 * Listens, and answers the listener. `target` is `{ host, port }` or `{ path }`. `proxyProtocol` 1
 * or 2 sends that header to the target first. With `tls` clients speak TLS, and the target does
 * not. What a client sends before the target is there waits in its socket.
 */
export function serveProxy({ target, proxyProtocol = 0, onError = () => {}, ...listening }) {
  return listen({
    ...listening,
    async open(client) {
      client.pause();
      try {
        const server = await connect(target);
        if (proxyProtocol > 0 && client.readyState !== 'closed') {
          server.write(proxyHeader(client, proxyProtocol));
        }
        await pipeline(client, server);
      } catch (error) {
        client.reset();
        onError(error);
      }
    },
  });
}
