// Scrapes /metrics whenever a line comes, as a Prometheus server would from a process of its own:
//   node bench/clients/scraper.mjs URL
// For each it prints the bytes, and the milliseconds that the scrape before took: all of them, and
// those of its longest piece.
import { createInterface } from 'node:readline';

const NAMES = ['ringpoll_scrape_seconds', 'ringpoll_scrape_longest_piece_seconds'];
const [url] = process.argv.slice(2);

for await (const _ of createInterface({ input: process.stdin })) {
  const text = await (await fetch(url)).text();
  const [ms, longest] = NAMES.map(
    (name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)[1]) * 1000,
  );
  console.log(JSON.stringify({ bytes: text.length, ms, longest }));
}
