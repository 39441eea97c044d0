import type { Worker } from "openworkflow";
import { describeCause, type Logger } from "../../log.ts";

const LONGEST_TIMER_MS = 3_600_000;

/**
 * Drives OpenWorkflow's worker: at once when something is announced, else once in a poll interval for what other processes did.
 * Idle, it does not keep the process alive; runs at work and callers that wait do.
 */
export class WorkerLoop {
  readonly #logger: Logger;
  readonly #pollIntervalMs: number;
  /** False where the look that is under way has found nothing more, or has failed. */
  mayHaveWork = true;
  /** Whether the look that is under way has failed. */
  #failed = false;
  #announcements = 0;
  #stopped = false;
  #wake: () => void = () => {};
  /** Since when the database has failed at every look; undefined while it answers. */
  #failingSince: number | undefined;
  #running: Promise<void> | undefined;
  #worker: Worker | undefined;

  constructor(options: { logger: Logger; pollIntervalMs: number }) {
    this.#logger = options.logger;
    this.#pollIntervalMs = options.pollIntervalMs;
  }

  /** For how long the database has failed at every look. Milliseconds; 0 while it answers. */
  get failingForMs(): number {
    return this.#failingSince === undefined ? 0 : performance.now() - this.#failingSince;
  }

  get started(): boolean {
    return this.#running !== undefined;
  }

  start(worker: Worker): void {
    this.#worker = worker;
    this.#running = this.#run(worker);
  }

  /** Resolves when the look that is under way has ended; there will be no other. */
  async stopClaiming(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  /** Resolves when `atWork` has settled and what came of it is written down. */
  async drain(atWork: Iterable<Promise<unknown>>): Promise<void> {
    await Promise.allSettled(atWork);
    // OpenWorkflow writes down the ends after ours; its own waiting is a poll, so give it the chance to find nothing.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#worker?.stop();
  }

  /**
   * A claim of the look that is under way has failed. It must not be thrown: OpenWorkflow would end the look, and the next one ask
   * the same slots, while other claims of this one are still on their way.
   */
  claimFailed(error: unknown): void {
    // The other slots would wait for the same database.
    this.mayHaveWork = false;
    this.#failed = true;
    // Once for an outage: it is tried again every second.
    if (this.#failingSince === undefined) {
      this.#logger.error({ cause: describeCause(error) }, "the workflow database does not answer; trying again");
    }
    this.#failingSince ??= performance.now();
  }

  wakeNow(): void {
    this.#announcements += 1;
    this.#wake();
  }

  wakeAt(at: Date): void {
    const delay = Math.max(0, at.getTime() - Date.now());
    // What is due much later is found by polling; timers do not reach beyond some weeks anyway.
    if (delay > LONGEST_TIMER_MS) return;
    // A millisecond late rather than early: due times are compared in whole milliseconds.
    setTimeout(() => this.wakeNow(), delay + 1).unref();
  }

  async #run(worker: Worker): Promise<void> {
    while (!this.#stopped) {
      const announcements = this.#announcements;
      this.mayHaveWork = true;
      this.#failed = false;
      const claimed = await worker.tick();
      if (!this.#failed) this.#failingSince = undefined;
      // What was announced while we looked may have come too late for that look.
      if (claimed === 0 && announcements === this.#announcements && !this.#stopped) await this.#idle();
    }
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), this.#pollIntervalMs).unref();
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
    });
  }
}
