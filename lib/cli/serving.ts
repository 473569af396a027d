// What the commands that run a server have in common: where it listens, and how it ends.
import { isIP, isIPv6 } from 'node:net';
import { EXIT, integerOption, type Option, UsageError, type Values } from './command.js';
import { JSON_OPTION } from './help.js';
import { type Output, reporting } from './output.js';

const PORT_RANGE = [0, 65535] as const;
const HOST_DEFAULT = '127.0.0.1';
const STOP_MS_MAX = 3000;

export const ENDING =
  'SIGINT or SIGTERM stops it: connections get 3 seconds to finish, then they are reset.';

export const servingOptions = (port: number): Record<string, Option> => ({
  host: { type: 'string', value: 'IP', help: `the address to listen on (default ${HOST_DEFAULT})` },
  port: {
    ...{ type: 'string', short: 'p', value: 'N' },
    help: `the port; 0 lets the system choose (default ${port})`,
  },
  json: JSON_OPTION,
});

/** @throws UsageError */
export function place(values: Values, portDefault: number): { host: string; port: number } {
  const host = String(values.host ?? HOST_DEFAULT);
  if (host !== 'localhost' && isIP(host) === 0) {
    throw new UsageError(`--host takes an IP address or 'localhost', not '${host}'`);
  }
  return { host, port: integerOption(values, 'port', portDefault, PORT_RANGE) };
}

interface Server {
  readonly address: object;
  readonly connections: number;
  stop(options: { timeout: number }): Promise<void>;
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process as usual. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const stop = () => {
      for (const signal of signals) process.removeListener(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}

/**
 * Says where the server is, as `line` puts it, and serves until somebody ends it; resolves with the
 * exit code. `more` is for the document of --json.
 */
export async function serveUntilInterrupted(
  server: Server,
  output: Output,
  line: (place: string) => string,
  more: object = {},
): Promise<number> {
  // First, as who reads the line may end us at once.
  const end = interrupted();
  const { address, port } = server.address as { address: string; port: number };
  if (output.json) output.document({ address, port, ...more });
  else output.line(line(`${isIPv6(address) ? `[${address}]` : address}:${port}`));
  await end;
  const waiting = () => `connections that have not finished: ${server.connections}`;
  await reporting(output, waiting, server.stop({ timeout: STOP_MS_MAX }));
  return EXIT.ok;
}
