// Entry points share their classes, and the workers of the compute pool find their file.
import { listen, RingpollError } from 'ringpoll';
import { open } from 'ringpoll/fs';
import { HttpRequestError, serve } from 'ringpoll/http';
import { Channel, ComputePool } from 'ringpoll/scheduler';

async function thrownBy(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
}

const errors = [
  await thrownBy(() => listen({ port: -1 })),
  await thrownBy(() => serve({ port: 0 })),
  await thrownBy(() => open(null)),
  await thrownBy(() => new Channel({ capacity: -1 })),
  await thrownBy(async () => {
    const channel = new Channel({ capacity: 1 });
    channel.close();
    await channel.send(1);
  }),
];
console.log(errors.map((error) => error?.code).join('\n'));
const subclass = HttpRequestError.prototype instanceof RingpollError;
console.log(subclass, errors[4] instanceof RingpollError);
const pool = new ComputePool({ size: 1 });
console.log(await pool.run((value) => value + 1, 41));
await pool.close();
