// The end of a program in order: phases, their functions, and what probes are told meanwhile.
import { asError, invalidArgType, RingpollError } from '../errors.js';
import { Health, type HealthCheck } from './health.js';
import {
  type CheckedLifecycle,
  checkFunction,
  checkLifecycle,
  checkOnShutdown,
  checkPhase,
  checkShutdown,
  checkShutdownWith,
  type LifecycleOptions,
  type OnShutdownOptions,
  type ShutdownOptions,
  type ShutdownWithOptions,
} from './options.js';
import {
  Force,
  PHASES,
  type Phase,
  runStep,
  type ShutdownFailure,
  type ShutdownFunction,
  type Step,
} from './phases.js';
import { type Stoppable, stepsOf } from './servers.js';
import { Signals } from './signals.js';

export interface ShutdownReport {
  /** The name of a signal, or what shutdown() was given. */
  reason: string;
  forced: boolean;
  /** Milliseconds that each phase took. */
  phases: Record<Phase, number>;
  failures: ShutdownFailure[];
}

/** running: nothing has begun to end. stopping: phases run. over: all of them have. */
export type LifecycleState = 'running' | 'stopping' | 'over';

/** One for each program is enough: onShutdown() and the like are those of such a one. */
export class Lifecycle {
  readonly #settings: CheckedLifecycle;
  readonly #signals: Signals;
  readonly #steps = new Set<Step>();
  readonly #ready = new Health();
  readonly #live = new Health();
  readonly #force = new Force();
  readonly #report: ShutdownReport = {
    reason: '',
    forced: false,
    phases: { accept: 0, drain: 0, release: 0 },
    failures: [],
  };
  #state: LifecycleState = 'running';
  #done: Promise<ShutdownReport> | undefined;
  #forcedExitCode: number | undefined;

  /** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION */
  constructor(options: LifecycleOptions = {}) {
    this.#settings = checkLifecycle(options);
    const { signals, clock } = this.#settings;
    this.#signals = new Signals(signals, clock, (...told) => this.#signalled(...told));
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /**
   * Calls `run` in its phase of the shutdown. Functions of one phase run at once, and the next
   * phase begins when all have ended or are late. When the phase is under way or over, `run` is
   * called at once.
   * @returns takes it back
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  onShutdown(phase: Phase, run: ShutdownFunction, options: OnShutdownOptions = {}): () => void {
    checkPhase(phase);
    checkFunction('run', run);
    const timeoutMs = checkOnShutdown(options, this.#settings.timeouts[phase]);
    const name = options.name ?? (run.name || 'a function without a name');
    return this.#add([{ phase, name, run, timeoutMs }]);
  }

  /**
   * Stops a server in the phase accept, after `delay`, and waits for what it has under way in the
   * phase drain.
   * @returns takes it back
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  shutdownWith(server: Stoppable, options: ShutdownWithOptions = {}): () => void {
    if (typeof server?.stop !== 'function') {
      throw invalidArgType('server', 'a server, with a method stop()', server);
    }
    const { clock, timeouts } = this.#settings;
    const checked = checkShutdownWith(options, timeouts.drain);
    const name = options.name ?? (server.constructor?.name || 'a server');
    return this.#add(stepsOf(server, { ...checked, name, acceptMs: timeouts.accept, clock }));
  }

  #add(steps: Step[]): () => void {
    if (this.#state === 'over') {
      for (const step of steps) void this.#run(step);
      return () => {};
    }
    for (const step of steps) this.#steps.add(step);
    this.#signals.listen();
    if (this.#state === 'stopping') this.#wake();
    return () => {
      for (const step of steps) this.#steps.delete(step);
      if (this.#steps.size === 0 && this.#state === 'running') this.#signals.leave();
    };
  }

  /**
   * Ends in order. The process goes on to run: only a signal ends it. Never rejects; a second call
   * gives the same report, and may force.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    const { reason, force } = checkShutdown(options);
    if (this.#done === undefined) {
      this.#state = 'stopping';
      this.#report.reason = reason;
    }
    if (force && this.#state !== 'over' && !this.#report.forced) {
      this.#report.forced = true;
      this.#force.begin(new RingpollError('ERR_RINGPOLL_CANCELLED', `Forced by ${reason}`));
    }
    // Not at once: a function may call this again.
    this.#done ??= Promise.resolve().then(() => this.#end());
    return this.#done;
  }

  /** True until the shutdown begins, while all that readyWhen() was given holds. */
  isReady(): boolean {
    return this.#state === 'running' && this.#ready.holds;
  }

  /** True until the shutdown is over, while all that liveWhen() was given holds. */
  isLive(): boolean {
    return this.#state !== 'over' && this.#live.holds;
  }

  /** Not ready while `check` does not give true. @returns takes it back */
  readyWhen(check: HealthCheck): () => void {
    checkFunction('check', check);
    return this.#ready.add(check);
  }

  /** Not live while `check` does not give true. @returns takes it back */
  liveWhen(check: HealthCheck): () => void {
    checkFunction('check', check);
    return this.#live.add(check);
  }

  async #end(): Promise<ShutdownReport> {
    const { clock } = this.#settings;
    for (const [index, phase] of PHASES.entries()) {
      const startedMs = clock.now();
      await this.#runUntil(index);
      this.#report.phases[phase] = clock.now() - startedMs;
    }
    // What was added when the last phase had just ended.
    while (this.#steps.size > 0) await this.#runUntil(PHASES.length - 1);
    this.#state = 'over';
    return this.#report;
  }

  /** Wakes the phase that runs, for what was added to it meanwhile. */
  #wake: () => void = () => {};

  /** Runs all steps of the phases up to this one, with those that are added while they run. */
  async #runUntil(index: number): Promise<void> {
    const running = new Set<Promise<void>>();
    for (;;) {
      for (const step of this.#steps) {
        if (PHASES.indexOf(step.phase) > index) continue;
        this.#steps.delete(step);
        const run = this.#run(step).then(() => void running.delete(run));
        running.add(run);
      }
      if (running.size === 0) return;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, Promise.all(running)]);
    }
  }

  async #run(step: Step): Promise<void> {
    const { clock } = this.#settings;
    const error = await runStep(step, this.#report.reason, clock, this.#force);
    if (error === undefined) return;
    const failure = { phase: step.phase, name: step.name, error };
    this.#report.failures.push(failure);
    this.#tell(failure);
  }

  #tell(failure: ShutdownFailure): void {
    const { error } = this.#settings;
    if (error === undefined) {
      process.emitWarning(failure.error);
      return;
    }
    try {
      error(failure);
    } catch (thrown) {
      process.emitWarning(asError(thrown));
    }
  }

  #signalled(name: NodeJS.Signals, exitCode: number, forces: boolean): void {
    if (forces) this.#forcedExitCode ??= exitCode;
    const done = this.shutdown({ reason: name, force: forces });
    if (forces) return;
    // Warnings are printed first.
    void done.then((report) => setImmediate(() => this.#exit(report)));
  }

  #exit({ failures }: ShutdownReport): void {
    this.#settings.exit(this.#forcedExitCode ?? (failures.length === 0 ? 0 : 1));
  }
}
