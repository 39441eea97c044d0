import { setImmediate } from "node:timers/promises";
import { describeCause } from "../log.ts";
import type { RunHandler } from "./engine.ts";
import { Execution, type ExecutionDependencies, type ExecutionEnd } from "./execution.ts";
import { publicId } from "./run-view.ts";
import type { Claimed, ClaimedRun, Hold, RunStore } from "./run-store.ts";

/** How often to poll for changes by other processes whose announcement was lost. Milliseconds. */
export const POLL_INTERVAL_MS = 1000;

/**
 * A registered workflow. `limit`: how many of its runs may execute at the same time; null for any
 * number.
 */
export interface Registered {
  readonly handler: RunHandler;
  readonly limit: number | null;
}

/** What the log says when an execution ends. */
const LOG_MESSAGES: Record<ExecutionEnd, string> = {
  ended: "a run has ended",
  rescheduled: "a run is rescheduled",
  parked: "a run waits for a person",
  lost: "a run was lost to another worker",
};

/**
 * Claims due runs and executes them, as many at a time as it has slots. It polls at once when
 * something is announced or becomes due, otherwise once per poll interval. While idle it does not
 * keep the process alive.
 *
 * If the process dies, nothing needs to be cleaned up: on SQLite the next worker that opens the
 * file makes its runs due, on PostgreSQL their leases expire after five seconds, and Restate hands
 * them to another worker.
 */
export class Worker {
  readonly #store: RunStore;
  readonly #workflows: ReadonlyMap<string, Registered>;
  readonly #limits: ReadonlyMap<string, number | null>;
  readonly #slots: number;
  readonly #dependencies: ExecutionDependencies;
  readonly #inFlight = new Map<Hold, Promise<void>>();
  #isStopped = false;
  #announcements = 0;
  /** Executions that have ended. */
  #ended = 0;
  /** Whether the last poll may have left due runs behind. */
  #isMoreDue = true;
  #wake: () => void = () => {};
  #failingSince: number | undefined;
  readonly #loop: Promise<void>;

  constructor(workflows: ReadonlyMap<string, Registered>, slots: number, dependencies: ExecutionDependencies) {
    this.#store = dependencies.store;
    this.#workflows = workflows;
    this.#limits = new Map([...workflows].map(([name, { limit }]) => [name, limit]));
    this.#slots = slots;
    this.#dependencies = dependencies;
    this.#loop = this.#run();
  }

  /** How long polls have been failing, in milliseconds; 0 while the database answers. */
  get failingForMs(): number {
    return this.#failingSince === undefined ? 0 : performance.now() - this.#failingSince;
  }

  /** How many runs it is executing. */
  get executing(): number {
    return this.#inFlight.size;
  }

  wake(): void {
    this.#announcements += 1;
    this.#wake();
  }

  /** Stops claiming runs. Resolves when the current poll has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#loop;
  }

  /** Resolves when all executions have ended. */
  async drained(): Promise<void> {
    await Promise.all(this.#inFlight.values());
  }

  async #run(): Promise<void> {
    for (;;) {
      // One poll for everything that ended or was submitted in this turn of the event loop.
      await setImmediate();
      if (this.#isStopped) return;
      const [announcements, ended] = [this.#announcements, this.#ended];
      const most = this.#slots - this.#inFlight.size;
      const { runs, nextDueAt, isMoreDue = true }: Claimed = most > 0 ? await this.#claim(most) : { runs: [] };
      for (const claimed of runs) this.#inFlight.set(claimed.hold, this.#execute(claimed));
      this.#isMoreDue = isMoreDue;
      // An announcement or a slot that became free during the poll may have come too late for it.
      const isStale = announcements !== this.#announcements || (isMoreDue && ended !== this.#ended);
      if (!isStale && !this.#isStopped) await this.#idle(nextDueAt);
    }
  }

  async #claim(most: number): Promise<Claimed> {
    try {
      const claimed = await this.#store.claim({ most, workflows: this.#limits, held: [...this.#inFlight.keys()] });
      this.#failingSince = undefined;
      return claimed;
    } catch (error) {
      // Log once per outage, because it polls every second.
      if (this.#failingSince === undefined) {
        const cause = describeCause(error);
        this.#dependencies.logger.error({ cause }, "the workflow database does not answer; trying again");
      }
      this.#failingSince ??= performance.now();
      return { runs: [] };
    }
  }

  async #execute(claimed: ClaimedRun): Promise<void> {
    const { hold, run } = claimed;
    const { logger, failureLog } = this.#dependencies;
    const facts = { run_id: publicId(run.id), workflow: run.workflow };
    logger.info(facts, "a run is claimed");
    const execution = new Execution(claimed, this.#dependencies);
    let end: ExecutionEnd | undefined;
    try {
      const { handler } = this.#workflows.get(run.workflow)!;
      end = await execution.run(handler);
      logger.info(facts, LOG_MESSAGES[end]);
      if (end === "ended") failureLog.ended(facts.run_id);
    } catch (error) {
      logger.error({ ...facts, cause: describeCause(error) }, "what a run has done could not be written");
    }
    this.#inFlight.delete(hold);
    this.#ended += 1;
    this.#dependencies.left(run.id, execution.ended);
    // If the run has not ended, it may be due again, at once or later.
    if (this.#isMoreDue || end !== "ended") this.wake();
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
