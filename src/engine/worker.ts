import { setImmediate } from "node:timers/promises";
import { describeCause } from "../log.ts";
import type { RunHandler } from "./engine.ts";
import { Execution, type ExecutionEnd, type ExecutionSurroundings } from "./execution.ts";
import { publicId } from "./run-view.ts";
import type { Hold, RunStore, TakenRun, TakenUp } from "./run-store.ts";

/** How often it looks for what other processes did to the same database; what this one does is announced. Milliseconds. */
export const POLL_INTERVAL_MS = 1000;

/** A workflow as it is registered. */
export interface Registered {
  readonly handler: RunHandler;
  readonly limit: number | null;
}

export interface WorkerSurroundings extends ExecutionSurroundings {
  /** Something has happened to a run that others should look at. */
  onHappened(id: string): void;
}

/** What the log says of a run that has left its worker. */
const WORDS: Record<ExecutionEnd, string> = {
  ended: "a run has ended",
  put_off: "a run is put off",
  parked: "a run waits for a person",
  lost: "a run is left to another worker",
};

/**
 * Takes up what is due and executes it, as much at a time as it has slots: at once when something is announced or due, else once in
 * a poll interval for what other processes did. Idle, it does not keep the process alive; runs at work and callers that wait do.
 */
export class Worker {
  readonly #store: RunStore;
  readonly #workflows: ReadonlyMap<string, Registered>;
  readonly #limits: ReadonlyMap<string, number | null>;
  readonly #slots: number;
  readonly #surroundings: WorkerSurroundings;
  readonly #atWork = new Map<Hold, Promise<void>>();
  #isStopped = false;
  #announcements = 0;
  #wake: () => void = () => {};
  #failingSince: number | undefined;
  readonly #loop: Promise<void>;

  constructor(workflows: ReadonlyMap<string, Registered>, slots: number, surroundings: WorkerSurroundings) {
    this.#store = surroundings.store;
    this.#workflows = workflows;
    this.#limits = new Map([...workflows].map(([name, { limit }]) => [name, limit]));
    this.#slots = slots;
    this.#surroundings = surroundings;
    this.#loop = this.#run();
  }

  /** For how long the database has failed at every look. Milliseconds; 0 while it answers. */
  get failingForMs(): number {
    return this.#failingSince === undefined ? 0 : performance.now() - this.#failingSince;
  }

  wake(): void {
    this.#announcements += 1;
    this.#wake();
  }

  /** Resolves when the look that is under way has ended; there will be no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#loop;
  }

  /** Resolves when what was at work is at an end or left, and that is written down. */
  async drained(): Promise<void> {
    await Promise.all(this.#atWork.values());
  }

  async #run(): Promise<void> {
    for (;;) {
      // Runs that end, and submissions that come, in one turn of the event loop are looked after together.
      await setImmediate();
      if (this.#isStopped) return;
      const announcements = this.#announcements;
      const most = this.#slots - this.#atWork.size;
      const { runs, nextDueAt } = most > 0 ? await this.#look(most) : { runs: [] };
      for (const taken of runs) this.#atWork.set(taken.hold, this.#execute(taken));
      // What was announced while we looked may have come too late for that look.
      if (announcements === this.#announcements && !this.#isStopped) await this.#idle(nextDueAt);
    }
  }

  async #look(most: number): Promise<TakenUp> {
    try {
      const taken = await this.#store.takeUp({ most, workflows: this.#limits, held: [...this.#atWork.keys()] });
      this.#failingSince = undefined;
      return taken;
    } catch (error) {
      // Once for an outage: it is tried again every second.
      if (this.#failingSince === undefined) {
        const cause = describeCause(error);
        this.#surroundings.logger.error({ cause }, "the workflow database does not answer; trying again");
      }
      this.#failingSince ??= performance.now();
      return { runs: [] };
    }
  }

  async #execute(taken: TakenRun): Promise<void> {
    const { hold, run } = taken;
    const { logger, failureLog } = this.#surroundings;
    const facts = { run_id: publicId(run.id), workflow: run.workflow };
    logger.info(facts, "a run is taken up");
    try {
      const { handler } = this.#workflows.get(run.workflow)!;
      const end = await new Execution(taken, this.#surroundings).run(handler);
      logger.info(facts, WORDS[end]);
      if (end === "ended") failureLog.passed(facts.run_id);
    } catch (error) {
      logger.error({ ...facts, cause: describeCause(error) }, "what a run has done could not be written");
    }
    this.#atWork.delete(hold);
    this.#surroundings.onHappened(run.id);
  }

  #idle(nextDueAt: number | undefined): Promise<void> {
    // A millisecond late rather than early: due times are compared in whole milliseconds.
    const untilDue = nextDueAt === undefined ? Infinity : Math.max(0, nextDueAt - Date.now()) + 1;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), Math.min(untilDue, POLL_INTERVAL_MS)).unref();
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
    });
  }
}
