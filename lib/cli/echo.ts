// `ringpoll echo`: a server that sends back what it receives.
import { listen } from '../index.js';
import type { Command } from './command.js';
import { ENDING, place, serveUntilInterrupted, servingOptions } from './serving.js';

const PORT_DEFAULT = 7007;

export const command: Command = {
  summary: 'run a TCP server that sends back what it receives',
  details: ENDING,
  examples: ['echo', 'echo --host ::1 -p 0 --json'],
  options: servingOptions(PORT_DEFAULT),
  async run(values, _operands, output) {
    const listener = listen({
      ...place(values, PORT_DEFAULT),
      data: (connection, chunk) => {
        if (!connection.write(chunk)) connection.pause();
      },
      drain: (connection) => connection.resume(),
      error: () => {},
    });
    return serveUntilInterrupted(listener, output, (place) => `echo server on ${place}`);
  },
};
