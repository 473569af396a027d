// Trials through a proxy: a target on the load's CPU, and the competitor before it.
import { startServer } from './server.mjs';
import { messageTrial } from './trial.mjs';

/** A competitor that leads to a port. */
export const leadingTo = (competitor, port) => ({
  ...competitor,
  command: (own) => competitor.command(own, port),
});

export async function proxiedMessages(competitor, target, item, settings) {
  const server = await startServer(target, { cpu: settings.loadCpu });
  try {
    return await messageTrial(leadingTo(competitor, server.port), item.mode, item.load, settings);
  } finally {
    await server.stop();
  }
}
