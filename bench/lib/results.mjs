// What a run found out: every trial in JSON, and a report to read beside it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { BUILD, ROOT } from './paths.mjs';

/** Takes out what names a machine or a place on it: messages of failures may hold such things. */
function anonymous(text) {
  const places = [ROOT, homedir() === '/' ? '' : homedir()].filter((place) => place.length > 1);
  let clean = text;
  for (const place of places) clean = clean.replaceAll(place, '.');
  const name = hostname();
  if (name.length > 3) clean = clean.replaceAll(name, 'host');
  return clean;
}

export class Results {
  /** An SVG beside the report. */
  picture = undefined;
  /** The runner says so by its exit code. */
  failed = false;

  constructor(suite, machine, settings) {
    this.data = { suite, machine, settings, missing: {}, trials: [], syscalls: {} };
  }

  competitorMissing(name, reason) {
    this.data.missing[name] = reason;
  }

  trial(entry) {
    this.data.trials.push(entry);
  }

  /** The trials of a case and competitor that went well, or all of the case's. */
  of(caseName, competitor) {
    return this.data.trials.filter(
      (trial) =>
        trial.case === caseName &&
        (competitor === undefined || trial.competitor === competitor) &&
        trial.error === undefined,
    );
  }

  /** A Map from round to the value that `read` finds in a trial: what pairedRatio wants. */
  byRound(caseName, competitor, read) {
    const values = this.of(caseName, competitor).map((trial) => [trial.round, read(trial)]);
    return new Map(values.filter(([, value]) => Number.isFinite(value)));
  }

  failures() {
    return this.data.trials.filter((trial) => trial.error !== undefined);
  }

  /** Writes what there is so far to a place that git ignores, in case the run does not end well. */
  keep() {
    this.#write(BUILD, `${this.data.suite}.partial.json`, this.#json());
  }

  /** Writes the results and the report. */
  save(folder, report) {
    this.#write(folder, `${this.data.suite}.json`, this.#json());
    this.#write(folder, `${this.data.suite}.md`, anonymous(report));
    if (this.picture !== undefined) this.#write(folder, `${this.data.suite}.svg`, this.picture);
  }

  // One trial a line keeps the file greppable and its diffs readable.
  #json() {
    const { trials, ...rest } = this.data;
    const head = JSON.stringify(rest, null, 2).replace(/\n}$/, '');
    const lines = trials.map((trial) => `    ${JSON.stringify(trial)}`).join(',\n');
    return anonymous(`${head},\n  "trials": [\n${lines}\n  ]\n}\n`);
  }

  #write(folder, name, text) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
