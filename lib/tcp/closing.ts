// connection.closed: a promise of the end.
import { type Deferred, extraOf, Flag, type HasExtra } from './connection_state.js';

/** @internal */
export function closedOf(connection: HasExtra & { readonly _flags: number }): Promise<void> {
  const extra = extraOf(connection);
  if (extra.closed === undefined) {
    extra.closed = deferred();
    if (connection._flags & Flag.closed) {
      if (extra.closeError === undefined) extra.closed.resolve();
      else extra.closed.reject(extra.closeError);
    }
  }
  return extra.closed.promise;
}

/** @internal Rejects with the error that the close handler gets; without one with `error`. */
export async function closedBecause(
  connection: HasExtra & { readonly _flags: number },
  error: unknown,
): Promise<never> {
  await closedOf(connection);
  throw error;
}

function deferred(): Deferred {
  let settle: Omit<Deferred, 'promise'> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever does not wait for it need not handle its rejection: the close handler has the error.
  promise.catch(() => {});
  return { promise, ...(settle as Omit<Deferred, 'promise'>) };
}
