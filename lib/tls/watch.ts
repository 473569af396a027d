// Follows the files of certificates and keys. It watches their folders, and not the files: what
// renews certificates puts new files, or links to them, in the place of the old ones.
import { crypto, fs, path } from '../builtins.js';
import { asError } from '../errors.js';
import type { CheckedFiles } from './files.js';
import { SecureContext } from './secure_context.js';

/** From the last change to reading: certificate and key are written one after the other. */
export const SETTLE_MS = 500;
/** Where a folder cannot be watched: between two looks. */
const POLL_MS = 5000;

export interface Followed {
  /** A new context, whose files could be read and belong together. */
  changed(context: SecureContext): void;
  /** The files were changed into something that cannot be used. */
  failed(error: Error): void;
}

export class FileWatch {
  readonly #files: CheckedFiles;
  readonly #path: string;
  readonly #told: Followed;
  readonly #watchers: { close(): void }[] = [];
  #settling: NodeJS.Timeout | undefined;
  #digest: string;

  constructor(files: CheckedFiles, optionPath: string, told: Followed) {
    this.#files = files;
    this.#path = optionPath;
    this.#told = told;
    this.#digest = this.#digestNow();
    const folders = new Set(files.paths.map((each) => path().dirname(path().resolve(each))));
    for (const folder of folders) this.#watchers.push(this.#watch(folder));
  }

  close(): void {
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #watch(folder: string): { close(): void } {
    try {
      const watcher = fs().watch(folder, { persistent: false }, () => this.#touched());
      // The folder itself has gone: looking now and then finds what takes its place.
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.push(this.#poll());
      });
      return watcher;
    } catch {
      return this.#poll();
    }
  }

  #poll(): { close(): void } {
    const timer = setInterval(() => this.#touched(), POLL_MS).unref();
    return { close: () => clearInterval(timer) };
  }

  #touched(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settled(), SETTLE_MS).unref();
  }

  #settled(): void {
    const digest = this.#digestNow();
    if (digest === this.#digest) return;
    this.#digest = digest;
    let context: SecureContext;
    try {
      context = this.#files.use((read) => new SecureContext(read, this.#path, 'server'));
    } catch (error) {
      this.#told.failed(asError(error));
      return;
    }
    this.#told.changed(context);
  }

  /** Of the content: other files in the folder, and times of files, change more often. */
  #digestNow(): string {
    const hash = crypto().createHash('sha256');
    for (const each of this.#files.paths) {
      try {
        hash.update(fs().readFileSync(each)).update('/');
      } catch {
        hash.update('?');
      }
    }
    return hash.digest('hex');
  }
}
