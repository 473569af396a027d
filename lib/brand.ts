// A copy of the package that was evaluated again has classes of its own, and objects of both meet
// in one program.

type Class = abstract new (...args: never[]) => object;

/** From here on `instanceof` also knows what other copies of the package made of this class. */
export function brand(name: string, made: Class): void {
  const mark = Symbol.for(`ringpoll.${name}`);
  Object.defineProperty(made.prototype, mark, { value: true });
  Object.defineProperty(made, Symbol.hasInstance, {
    value(this: unknown, object: unknown) {
      // A class that extends it has to do with its own alone.
      if (this !== made) return Function.prototype[Symbol.hasInstance].call(this, object);
      return typeof object === 'object' && object !== null && mark in object;
    },
  });
}
