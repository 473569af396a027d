// The asynchronous context of listen(), connect() or serve(), in which their handlers run, as with
// node:net.
import { AsyncResource } from 'node:async_hooks';

type Result = unknown;

const NAME = 'RINGPOLL';
// It says itself when it is over: tools that list what is open should not wait for the collector.
const MANUAL = { requireManualDestroy: true };
// From Node 24 on a context is a frame, and entering one is cheap; before, it hangs on a resource.
const HAS_FRAMES = Number(process.versions.node.split('.')[0]) >= 24;

export class HandlerContext {
  #resource: AsyncResource | undefined = currentResource();

  /** The handler, in this context. */
  bind<Args extends unknown[]>(handler: (...args: Args) => Result): (...args: Args) => Result {
    const context = this.#resource;
    if (context === undefined) return handler;
    if (HAS_FRAMES) return (...args) => context.runInAsyncScope(handler, undefined, ...args);
    const call = (...args: Args) => callInOwn(handler, args);
    return (...args) => context.runInAsyncScope(call, undefined, ...args);
  }

  /** No handler is called any more. */
  over(): void {
    this.#resource?.emitDestroy();
    this.#resource = undefined;
  }
}

/** A resource of its own for each call: it inherits the stores, and keeps what is entered. */
function callInOwn<Args extends unknown[]>(handler: (...args: Args) => Result, args: Args): Result {
  const resource = new AsyncResource(NAME, MANUAL);
  try {
    return resource.runInAsyncScope(handler, undefined, ...args);
  } finally {
    resource.emitDestroy();
  }
}

// Entering a context costs more than the rest of the dispatch, so it is done only when there is
// one: a new AsyncResource carries the values of the AsyncLocalStorages that are in use.
function currentResource(): AsyncResource | undefined {
  const resource = new AsyncResource(NAME, MANUAL);
  if (HAS_FRAMES) return resource;
  const ordinary = new Set(['async_id_symbol', 'trigger_async_id_symbol', 'destroyed']);
  for (const key of Object.getOwnPropertySymbols(resource)) {
    if (ordinary.has(key.description ?? '')) continue;
    if ((resource as unknown as Record<symbol, unknown>)[key] !== undefined) return resource;
  }
  resource.emitDestroy();
  return undefined;
}
