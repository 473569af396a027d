// Where the active context of OpenTelemetry is kept, for programs whose SDK has not said it.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, ContextManager, OpenTelemetryApi } from './api.js';

class StorageManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  readonly #root: Context;

  constructor(root: Context) {
    this.#root = root;
  }

  active(): Context {
    return this.#storage.getStore() ?? this.#root;
  }

  with<Args extends unknown[], Result>(
    context: Context,
    run: (...args: Args) => Result,
    thisArg?: unknown,
    ...args: Args
  ): Result {
    return this.#storage.run(context, () => Reflect.apply(run, thisArg, args) as Result);
  }

  bind<Target>(context: Context, target: Target): Target {
    if (typeof target !== 'function') return target;
    const bound = (...args: unknown[]) =>
      this.#storage.run(context, () => target(...args) as unknown);
    return bound as Target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

/** Sets one when there is none: without it no span would have a parent. */
export function ensureContextManager(api: OpenTelemetryApi): void {
  const marked = api.ROOT_CONTEXT.setValue(api.createContextKey('ringpoll'), true);
  if (api.context.with(marked, () => api.context.active() === marked)) return;
  api.context.setGlobalContextManager(new StorageManager(api.ROOT_CONTEXT));
}
