// What this copy of the package keeps of the thread's loop: the shared memory.
import { outOfRange } from '../errors.js';
import { type LoopLevels, setLoopLevels } from '../gauges.js';
import { turnResource, walkEvents } from './dispatch.js';
import { type NativeLoop, native, type SharedMemory } from './native.js';
import { COMMAND_CAPACITY, Control, RECORD_WORDS } from './protocol.js';

const ENGINES = ['hybrid', 'uring', 'poll'] as const;
const RECEIVES = ['auto', 'readiness', 'completion'] as const;
/** In the order of native/core/loop/waiting.h. */
export const TRIGGERS = ['edge', 'level', 'adaptive'] as const;
export const WAIT_STRATEGIES = ['block', 'spin', 'adaptive'] as const;
const COMPLETION_ENTRIES_DEFAULT = 4096;

export class Runtime {
  readonly native: NativeLoop;
  readonly memory: SharedMemory;
  /** Native code holds it only while something is open. */
  readonly onTurn: () => void;
  readonly control: Int32Array;
  readonly events: Int32Array;
  readonly commands: Int32Array;
  /** Checked mode: released blocks are poisoned, and errors say where a chunk was released. */
  readonly checked: boolean;
  chunksForgotten = 0;
  bytesCopiedByRetain = 0;

  constructor() {
    const env = process.env;
    if (env.RINGPOLL_ROUTING === 'adaptive') warnOfAdaptiveRouting();
    this.checked = env.RINGPOLL_CHECK === '1';
    const wait = choice('RINGPOLL_WAIT', WAIT_STRATEGIES, env.RINGPOLL_WAIT);
    const trigger = choice('RINGPOLL_TRIGGER', TRIGGERS, env.RINGPOLL_TRIGGER);
    this.native = native();
    this.onTurn = () => walkEvents(this);
    this.memory = this.native.start(
      choice('RINGPOLL_ENGINE', ENGINES, env.RINGPOLL_ENGINE),
      choice('RINGPOLL_RECEIVE', RECEIVES, env.RINGPOLL_RECEIVE),
      this.checked,
      completionEntries(env.RINGPOLL_CQ_ENTRIES),
      this.onTurn,
      turnResource,
    );
    if (env.RINGPOLL_WAIT) this.native.setWait(wait);
    if (env.RINGPOLL_TRIGGER) this.native.setTrigger(trigger);
    this.control = this.memory.control;
    this.events = this.memory.events;
    this.commands = this.memory.commands;
  }

  /** A number that no other copy of this package has for an operation on a file. */
  newFileId(): number {
    const id = this.memory.fileIds ?? 0;
    this.memory.fileIds = id + 1;
    return id;
  }

  /** Appends a command for native code; it is taken at the end of this turn at the latest. */
  command(kind: number, slot: number, generation: number, a = 0, b = 0, c = 0): void {
    const { control, commands } = this;
    let count = control[Control.commandCount];
    if (count === COMMAND_CAPACITY) {
      this.native.flush();
      count = 0;
    }
    const at = count * RECORD_WORDS;
    commands[at] = kind;
    commands[at + 1] = slot;
    commands[at + 2] = generation;
    commands[at + 3] = a;
    commands[at + 4] = b;
    commands[at + 5] = c;
    control[Control.commandCount] = count + 1;
  }
}

function warnOfAdaptiveRouting(): void {
  const message = 'RINGPOLL_ROUTING=adaptive has no effect: adaptive routing gained nothing';
  process.emitWarning(message, 'DeprecationWarning', 'RINGPOLL_ADAPTIVE_ROUTING');
}

function choice(name: string, values: readonly string[], value: string | undefined): number {
  if (value === undefined || value === '') return 0;
  const index = values.indexOf(value);
  if (index < 0) throw outOfRange(name, `one of ${values.join(', ')}`, value);
  return index;
}

function completionEntries(value: string | undefined): number {
  if (value === undefined || value === '') return COMPLETION_ENTRIES_DEFAULT;
  const entries = Number(value);
  if (!Number.isInteger(entries) || entries < 2 || entries > 65536) {
    throw outOfRange('RINGPOLL_CQ_ENTRIES', 'an integer from 2 to 65536', value);
  }
  return entries;
}

let current: Runtime | undefined;

/** What the scheduler's metrics and trace show of the loop. */
function levelsOf({ native }: Runtime): LoopLevels {
  const { ringQueued, ringCompleted, connections } = native.metrics();
  return { sq: ringQueued, cq: ringCompleted, connections };
}

/** The runtime's control block, for whoever is there only once a runtime is. */
export let control: Int32Array = new Int32Array(Control.turn + 1);

/** This thread's runtime; its engines start at the first call. */
export function runtime(): Runtime {
  if (current === undefined) {
    const made = new Runtime();
    setLoopLevels(() => levelsOf(made));
    current = made;
    control = made.control;
  }
  return current;
}
