// The lane over-tls with every engine, each with records whole and cut at any byte. It runs when it
// is named.
import { overTls, summed } from './over_tls.mjs';

export const name = 'over-tls-all';
export const onRequest = true;
export const msMax = 30 * 60 * 1000;

export async function run() {
  const results = [];
  for (const engine of ['poll', 'uring', 'hybrid']) {
    for (const how of ['whole', 'split']) results.push(await overTls(engine, how));
  }
  return summed(results);
}
