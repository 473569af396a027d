// Event handler attributes (`onopen` and its like), as the HTML standard defines them.

type Handler = ((this: EventTarget, event: Event) => unknown) | null;

interface Slot {
  handler: Handler;
  listener: ((event: Event) => void) | undefined;
}

/** Of each target, by the type of the event. */
const slots = new WeakMap<EventTarget, Map<string, Slot>>();

function slotOf(target: EventTarget, type: string): Slot {
  let all = slots.get(target);
  if (all === undefined) {
    all = new Map();
    slots.set(target, all);
  }
  let slot = all.get(type);
  if (slot === undefined) {
    slot = { handler: null, listener: undefined };
    all.set(type, slot);
  }
  return slot;
}

/**
 * A handler takes its turn among the listeners: where it was first set, whatever replaces it there.
 * Once it is null, the next one that is set goes to the end.
 */
function setHandler(target: EventTarget, type: string, value: unknown): void {
  const slot = slotOf(target, type);
  const handler = typeof value === 'function' || typeof value === 'object' ? value : null;
  slot.handler = handler as Handler;
  if (handler === null) {
    if (slot.listener !== undefined) target.removeEventListener(type, slot.listener);
    slot.listener = undefined;
    return;
  }
  if (slot.listener !== undefined) return;
  slot.listener = (event) => {
    const { handler: current } = slot;
    // An object that is no function is kept, and not called.
    if (typeof current !== 'function') return;
    if (current.call(target, event) === false) event.preventDefault();
  };
  target.addEventListener(type, slot.listener);
}

/** Defines `on` + each type on a prototype. `check` throws for a receiver of another class. */
export function defineHandlers(
  prototype: EventTarget,
  types: readonly string[],
  check: (receiver: unknown) => void,
): void {
  for (const type of types) {
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: EventTarget): Handler {
        check(this);
        return slotOf(this, type).handler;
      },
      set(this: EventTarget, value: unknown): void {
        check(this);
        setHandler(this, type, value);
      },
    });
  }
}
