// What a listener serves with: a secure context that can be replaced while it runs. Connections
// that are open keep theirs.
import { asError, invalidArgType } from '../errors.js';
import type { NativeContext } from '../runtime/native_tls.js';
import { SecureContext, type SecureContextOptions, servable } from './secure_context.js';
import { type CheckedServerTls, checkReplacement } from './server_options.js';
import { FileWatch } from './watch.js';

export interface Serving {
  /** New connections are served with this from now on. */
  use(context: NativeContext): void;
  /** Files that are watched cannot be used; what was before is kept. */
  failed(error: Error): void;
}

export class ServedContext {
  readonly #checked: CheckedServerTls;
  readonly #serving: Serving;
  #watch: FileWatch | undefined;
  #current: SecureContext;

  constructor(checked: CheckedServerTls, path: string, serving: Serving) {
    this.#checked = checked;
    this.#current = checked.context;
    this.#serving = serving;
    if (checked.files?.watch !== true) return;
    this.#watch = new FileWatch(checked.files, path, {
      changed: (context) => this.#changed(path, context),
      failed: (error) => serving.failed(error),
    });
  }

  get current(): SecureContext {
    return this.#current;
  }

  /** Files that were watched are not, from now on. */
  set(value: SecureContext | SecureContextOptions): void {
    const context = checkReplacement(value);
    this.#watch?.close();
    this.#watch = undefined;
    this.#use(context);
  }

  /** The listener is over. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Whether `SNICallback` has to be asked. */
  get asksForNames(): boolean {
    return this.#checked.nameCallback !== undefined;
  }

  /**
   * What serves this name, as `SNICallback` says; undefined: the context of the listener.
   * `answer` is called once, perhaps before this returns.
   */
  ask(servername: string, answer: (error: Error | undefined, context?: NativeContext) => void) {
    let answered = false;
    const once = (error: unknown, context?: unknown) => {
      if (answered) return;
      answered = true;
      let chosen: NativeContext | undefined;
      try {
        if (error !== null && error !== undefined) throw error;
        chosen = context === null || context === undefined ? undefined : nativeOf(context);
      } catch (wrong) {
        answer(asError(wrong));
        return;
      }
      answer(undefined, chosen);
    };
    try {
      this.#checked.nameCallback?.(servername, once);
    } catch (error) {
      once(asError(error));
    }
  }

  #changed(path: string, context: SecureContext): void {
    try {
      this.#use(servable(path, context));
    } catch (error) {
      this.#serving.failed(asError(error));
    }
  }

  #use(context: SecureContext): void {
    this.#serving.use(context._native('server'));
    this.#current = context;
  }
}

function nativeOf(context: unknown): NativeContext {
  if (context instanceof SecureContext) {
    return servable('the context of SNICallback', context)._native('server');
  }
  throw invalidArgType('the context of SNICallback', 'made by secureContext()', context);
}
