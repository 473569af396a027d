// The same in two worker threads at once, beside the main thread's own loop.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const program = new URL('./echo.mjs', import.meta.url);
const workers = [1, 2].map(() => new Worker(program));
const [codes] = await Promise.all([
  Promise.all(workers.map((worker) => once(worker, 'exit'))),
  import('./echo.mjs'),
]);
console.log(codes.flat().join(' '));
