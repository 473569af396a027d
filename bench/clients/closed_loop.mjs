// A client program in a closed loop: what it costs its own process. Prints a line of JSON:
// requests, bytes, seconds, and the CPU time of this process.
const sleep = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));

/**
 * Each of `senders` sends again and again, one at a time, and resolves with the bytes it got. What
 * is sent in the first `warmUp` seconds does not count.
 */
export async function closedLoop(senders, seconds, warmUp) {
  let requests = 0;
  let bytes = 0;
  let over = false;
  const worker = async (send) => {
    while (!over) {
      bytes += await send();
      requests++;
    }
  };
  const workers = senders.map(worker);
  await sleep(warmUp);
  const before = { requests, bytes, cpu: process.cpuUsage(), at: performance.now() };
  await sleep(seconds);
  const { user, system } = process.cpuUsage(before.cpu);
  const report = {
    requests: requests - before.requests,
    bytes: bytes - before.bytes,
    seconds: (performance.now() - before.at) / 1000,
    userUs: user,
    systemUs: system,
  };
  over = true;
  await Promise.all(workers);
  console.log(JSON.stringify(report));
}
