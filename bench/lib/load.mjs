// Runs the load generator, for a result or on command.
import { loadGenerator } from './build.mjs';
import { launch } from './process.mjs';

// Beyond its own phases a load may take this long to open its connections and to drain.
const SLACK_MS = 65_000;

function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [flag, String(value)];
  });
}

function parse(line) {
  const report = JSON.parse(line);
  if (report.error) throw new Error(`load: ${report.error}`);
  return report;
}

/** A load that is under way. `ask` sends it a command and gives the JSON it answers with. */
export async function startLoad(mode, options, { cpu } = {}) {
  const command = [await loadGenerator(), mode, ...flags(options)];
  const child = launch(command, { cpu, input: true });
  const limit = ((options.seconds ?? 2) + (options.warmUp ?? 0.5)) * 1000 + SLACK_MS;
  const next = async () => parse(await child.line(limit, `load ${mode}`));
  return {
    next,
    ask(text) {
      child.send(`${text}\n`);
      return next();
    },
    stop: () => child.stop(),
  };
}

/** A load from beginning to end: its report. */
export async function runLoad(mode, options, where) {
  const load = await startLoad(mode, options, where);
  try {
    const report = await load.next();
    if (!(report.messages > 0)) throw new Error('load: no message came back');
    return report;
  } finally {
    await load.stop();
  }
}
