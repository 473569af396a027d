// Traffic that goes round and round through this thread's loop while a test looks at other things.
import { connect, listen } from 'ringpoll';
import { onTestFinished } from 'vitest';

const CONNECTIONS = 8;

export interface Load {
  /** Messages that have gone round since the start. */
  messages(): number;
  stop(): Promise<void>;
}

/** Starts connections that send each other the same message for ever. */
export async function startLoad(message = 'x'.repeat(64)): Promise<Load> {
  let messages = 0;
  let stopping = false;
  const listener = listen({
    host: '127.0.0.1',
    port: 0,
    data: (connection, chunk) => void connection.write(chunk),
    error() {},
  });
  const { address } = listener;
  if (!('port' in address)) throw new Error('no port');
  const { port } = address;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, () =>
      connect({
        host: '127.0.0.1',
        port,
        open: (connection) => void connection.write(message),
        data(connection, chunk) {
          messages += 1;
          if (stopping) connection.end();
          else connection.write(chunk);
        },
        error() {},
      }),
    ),
  );
  onTestFinished(() => listener.destroy());
  return {
    messages: () => messages,
    stop() {
      stopping = true;
      return listener.stop({ timeout: 2000 });
    },
  };
}
