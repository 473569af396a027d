// One job of the burst: a wait that blocks its thread (as synchronous I/O does), then computing.
const cell = new Int32Array(new SharedArrayBuffer(4));

export default function job({ waitMs, computeMs }) {
  Atomics.wait(cell, 0, 0, waitMs);
  const end = performance.now() + computeMs;
  while (performance.now() < end);
}
