import { setImmediate, setTimeout as pause } from "node:timers/promises";
import { describeCause, type Logger } from "../log.ts";
import { DATABASE_RETRY } from "../retry-policies.ts";
import type {
  Accepted,
  Batch,
  BatchOutcome,
  Hold,
  NewRunRecord,
  RunStore,
  RunWrite,
  WriteOutcome,
} from "./run-store.ts";

/**
 * The longest time that a write is held back to share a transaction, if nothing waits for it.
 * Milliseconds.
 */
const LAZY_MS = 20;
/** How long a closing engine keeps trying while the store fails. Milliseconds. */
const CLOSE_GRACE_MS = 3000;
/** The first log entry comes after this many failures, which is about a second. */
const FAILURES_TO_TELL = 5;
/** Each further one comes after this many more, which is about an hour. */
const FAILURES_AN_HOUR = 3600;

interface Pending<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** The pending writes of one run, in order. */
type Page = readonly [hold: Hold, writes: readonly Pending<RunWrite, WriteOutcome>[]];

/**
 * Group commit: all writes of one turn of the event loop, and all that arrive while a write is in
 * progress, go to the store as one transaction with one flush. If the store is behind a network,
 * they also wait a moment for the writes of other runs (`RunStore.gatherMs`). Lazy writes wait for
 * the run's next write that is not lazy, but at most `LAZY_MS`.
 *
 * When the store fails:
 *
 * - Writes of runs are repeated until they succeed, however long that takes. Giving up would repeat
 *   the work of a step that is done. Only a closing engine gives up, after three seconds; the run's
 *   next worker then repeats that step.
 * - Runs to accept are rejected at once: their submitter is still there and can try again.
 * - If the store can never take a write (`RunStore.isUnwritable`), the parts of its batch are
 *   written one by one to find it, and only the run of that write gets the error. Other runs in the
 *   batch are not affected.
 *
 * A store that is `isUngrouped` gets each write separately and at once, and no write is repeated.
 */
export class Journal {
  readonly #store: RunStore;
  readonly #logger: Logger;
  readonly #executing: () => number;
  readonly #pages = new Map<Hold, Pending<RunWrite, WriteOutcome>[]>();
  /** Runs whose pages go into the next transaction. */
  readonly #urgent = new Set<Hold>();
  /** Whether the `LAZY_MS` timer is running. */
  #isHoldingBack = false;
  #accepts: Pending<NewRunRecord, Accepted>[] = [];
  /** How many runs shared the last transaction. Before the first one: as many as possible. */
  #shared = Infinity;
  #isAtWork = false;
  #failures = 0;
  #failuresToTell = FAILURES_TO_TELL;
  #failingSince = 0;
  #closingSince: number | undefined;

  /** @param executing the number of runs that are being executed */
  constructor(store: RunStore, logger: Logger, executing: () => number) {
    this.#store = store;
    this.#logger = logger;
    this.#executing = executing;
  }

  /** From now on, failing writes are repeated for three seconds only. */
  closeSoon(): void {
    this.#closingSince ??= performance.now();
  }

  async accept(run: NewRunRecord): Promise<Accepted> {
    if (this.#store.isUngrouped) return (await this.#store.write({ accepts: [run], runs: [] })).accepts[0]!;
    return new Promise((resolve, reject) => {
      this.#accepts.push({ item: run, resolve, reject });
      this.#schedule();
    });
  }

  /**
   * Resolves when the write is stored; on disk, if it has to be.
   * @throws Error if the store can never take it, or the engine closed first. In the first case, the
   *   run's writes that already wait behind it are rejected too, except results of other steps.
   */
  async write(hold: Hold, write: RunWrite, { isLazy = false } = {}): Promise<WriteOutcome> {
    if (this.#store.isUngrouped) {
      const { runs } = await this.#store.write({ accepts: [], runs: [{ hold, writes: [write] }] });
      return runs[0]![0]!;
    }
    return new Promise((resolve, reject) => {
      const writes = this.#pages.get(hold) ?? [];
      this.#pages.set(hold, writes);
      writes.push({ item: write, resolve, reject });
      if (isLazy) this.#holdBack();
      else this.hurry(hold);
    });
  }

  /** Stores the lazy writes of this run now. */
  hurry(hold: Hold): void {
    if (!this.#pages.has(hold)) return;
    this.#urgent.add(hold);
    this.#schedule();
  }

  #holdBack(): void {
    if (this.#isHoldingBack) return;
    this.#isHoldingBack = true;
    setTimeout(() => {
      this.#isHoldingBack = false;
      for (const hold of this.#pages.keys()) this.hurry(hold);
    }, LAZY_MS);
  }

  /**
   * Repeats work for a running handler until the store is available again. Gives up if the store
   * can never do it, or if the engine is closing (`#givesUp`).
   */
  async persist<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    let failingSince: number | undefined;
    for (let failures = 1; ; failures++) {
      try {
        return await work();
      } catch (error) {
        failingSince ??= performance.now();
        if (this.#store.isUnwritable(error) || this.#givesUp(failingSince)) throw error;
        await pauseAfter(failures);
      }
    }
  }

  /**
   * A closing engine gives up three seconds after the first failure or after it began to close,
   * whichever is later, because a step may end long after closing began.
   */
  #givesUp(failingSince: number): boolean {
    if (this.#closingSince === undefined) return false;
    return performance.now() - Math.max(this.#closingSince, failingSince) > CLOSE_GRACE_MS;
  }

  #schedule(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#gather();
      const accepts = this.#accepts;
      const pages = Array.from(this.#urgent, (hold) => [hold, this.#pages.get(hold)!] as const);
      if (accepts.length + pages.length === 0) break;
      this.#accepts = [];
      this.#urgent.clear();
      this.#shared = accepts.length + pages.length;
      for (const [hold] of pages) this.#pages.delete(hold);
      await this.#writeAll(accepts, pages);
      if (this.#failures > 0) await pauseAfter(this.#failures);
    }
    this.#isAtWork = false;
  }

  /** Waits for what else may share the next transaction. */
  async #gather(): Promise<void> {
    // This turn's promises must settle, so that what handlers do next joins the batch.
    await setImmediate();
    const deadline = performance.now() + (this.#store.gatherMs ?? 0);
    while (this.#isMoreExpected && performance.now() < deadline) await pause(1);
  }

  /**
   * Whether more runs are likely to write soon, judging by how many shared the last transaction. It
   * doesn't wait for all executing runs, because some may be in steps that take minutes.
   */
  get #isMoreExpected(): boolean {
    const waiting = this.#urgent.size + this.#accepts.length;
    return waiting > 0 && waiting < Math.min(this.#shared, this.#executing());
  }

  async #writeAll(accepts: readonly Pending<NewRunRecord, Accepted>[], pages: readonly Page[]): Promise<void> {
    let outcome: BatchOutcome;
    try {
      outcome = await this.#store.write(toBatch(accepts, pages));
    } catch (error) {
      await this.#failed(error, accepts, pages);
      return;
    }
    this.#failures = 0;
    this.#failuresToTell = FAILURES_TO_TELL;
    accepts.forEach(({ resolve }, at) => resolve(outcome.accepts[at]!));
    pages.forEach(([, writes], page) => writes.forEach(({ resolve }, at) => resolve(outcome.runs[page]![at]!)));
  }

  async #failed(
    error: unknown,
    accepts: readonly Pending<NewRunRecord, Accepted>[],
    pages: readonly Page[],
  ): Promise<void> {
    if (this.#store.isUnwritable(error)) {
      // One of them makes the batch fail: write each separately.
      if (accepts.length + pages.length > 1) {
        for (const accept of accepts) await this.#writeAll([accept], []);
        for (const page of pages) await this.#writeAll([], [page]);
        return;
      }
      for (const { reject } of accepts) reject(error);
      for (const page of pages) await this.#refuse(page, error);
      return;
    }
    this.#failures += 1;
    if (this.#failures === 1) this.#failingSince = performance.now();
    // Those who submit runs get the error themselves.
    if (this.#failures >= this.#failuresToTell && pages.length > 0) {
      this.#failuresToTell = this.#failures + FAILURES_AN_HOUR;
      const cause = describeCause(error);
      this.#logger.warn({ cause }, "the workflow database does not store what a run has done; retrying");
    }
    for (const { reject } of accepts) reject(error);
    const givesUp = this.#givesUp(this.#failingSince);
    for (const [hold, writes] of pages) {
      if (givesUp) for (const { reject } of writes) reject(error);
      else this.#putBack(hold, [...writes, ...(this.#pages.get(hold) ?? [])]);
    }
  }

  #putBack(hold: Hold, writes: Pending<RunWrite, WriteOutcome>[]): void {
    this.#pages.set(hold, writes);
    this.#urgent.add(hold);
  }

  /**
   * Finds the refused write of a page by storing the page's writes one by one. Those before it are
   * stored; those after it are rejected too, except results of other steps.
   */
  async #refuse([hold, [first, ...rest]]: Page, error: unknown): Promise<void> {
    const behind = [...rest, ...(this.#pages.get(hold) ?? [])];
    if (rest.length > 0) {
      this.#putBack(hold, behind);
      await this.#writeAll([], [[hold, [first!]]]);
      return;
    }
    first!.reject(error);
    const isResult = ({ item: { kind } }: Pending<RunWrite, WriteOutcome>): boolean =>
      kind === "complete" || kind === "fail";
    for (const pending of behind) if (!isResult(pending)) pending.reject(error);
    const results = behind.filter(isResult);
    if (results.length > 0) return this.#putBack(hold, results);
    this.#pages.delete(hold);
    this.#urgent.delete(hold);
  }
}

const pauseAfter = (failures: number): Promise<void> =>
  pause(Math.min(DATABASE_RETRY.initialDelayMs * 2 ** (failures - 1), DATABASE_RETRY.maximumDelayMs));

const toBatch = (accepts: readonly Pending<NewRunRecord, Accepted>[], pages: readonly Page[]): Batch => ({
  accepts: accepts.map(({ item }) => item),
  runs: pages.map(([hold, writes]) => ({ hold, writes: writes.map(({ item }) => item) })),
});
