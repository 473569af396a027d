// The listener of a watchdog throws: that is an uncaught exception like any other.
import { Watchdog } from 'ringpoll';
import { HybridScheduler } from 'ringpoll/scheduler';

const alive = setInterval(() => {}, 1000);
const scheduler = new HybridScheduler({ slice: 20, check: 5 });
const watchdog = new Watchdog({
  limit: 20,
  check: 5,
  scheduler,
  overrun() {
    throw new Error('from the listener');
  },
});
process.on('uncaughtException', ({ message }) => {
  console.log(`caught: ${message}`);
  watchdog.stop();
  clearInterval(alive);
});
await scheduler.run((context) => {
  // However long the watchdog's thread takes to be given a CPU: it is the one that asks.
  const end = performance.now() + 10_000;
  while (!context.shouldYield() && performance.now() < end);
  while (watchdog.report().overruns === 0 && performance.now() < end);
});
