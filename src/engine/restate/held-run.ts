import { setImmediate } from "node:timers/promises";
import type { ClaimedRun, EventRecord, Hold, RunRecord, RunWrite, WriteOutcome } from "../run-store.ts";
import { eventOf, releases, toEvent } from "../run-writes.ts";
import type { Release } from "./run-state.ts";

/**
 * The limits of one write, and of the writes that are stored together as one message. The server
 * accepts messages of up to 32 MiB. Bytes.
 */
const LONGEST_WRITE = 8 * 1024 * 1024;
const LONGEST_BATCH = 2 * LONGEST_WRITE;
/**
 * The limit for input, decisions and results of a run together. The server gives an execution 32
 * MiB of memory, and an execution that needs more would never run again. Bytes.
 */
const LARGEST_RUN = 24 * 1024 * 1024;

/** Thrown for writes that are too large for the server. */
export class TooLargeError extends Error {}

const bytesOf = (json: string | null | undefined): number => Buffer.byteLength(json ?? "");

/**
 * @param jsons an input, or the decisions on a run together
 * @throws TooLargeError
 */
export function assertAcceptable(...jsons: (string | null | undefined)[]): void {
  if (jsons.reduce((sum, one) => sum + bytesOf(one), 0) > LONGEST_WRITE) throw new TooLargeError();
}

/**
 * What an execution has done since the last batch. Restate stores it as one entry of its journal.
 */
export interface StepBatch {
  /** Numbered from 1 within the batch. */
  readonly events: readonly EventRecord[];
  readonly release?: Pick<Release, "write" | "time">;
}

/** Decides the order in which runs that wait for a slot are claimed. */
export interface Rank {
  readonly priority: number;
  readonly dueAt: number;
}

interface Pending {
  readonly writes: readonly RunWrite[];
  readonly bytes: number;
  readonly resolve: (outcomes: WriteOutcome[]) => void;
  outcomes: WriteOutcome[];
}

const OVER = new Error("the run is not executed here any more");

/**
 * A run that Restate has handed to this process by calling `execute`, for as long as the connection
 * of that call lasts. Our execution (`execution.ts`) writes here; the handler `execute` collects
 * the writes in batches and stores them.
 */
export class HeldRun implements ClaimedRun {
  readonly hold: Hold;
  readonly run: RunRecord;
  readonly rank: Rank;
  /**
   * Always false, because we can't know: the call may repeat one whose worker died before it stored
   * anything.
   */
  readonly isFirstExecution = false;
  readonly #events: EventRecord[];
  /** Bytes of its input and of everything that it has written. */
  #size: number;
  #waiting: Pending[] = [];
  #collected: Pending[] = [];
  #wake: (() => void) | undefined;
  #fail: ((reason: unknown) => void) | undefined;
  #isCancelled = false;
  /** Set once a write was refused. */
  #refusal: TooLargeError | undefined;
  #isOver = false;

  /** @param seq a number that no other call in this process has */
  constructor(seq: number, run: RunRecord, rank: Rank, events: readonly EventRecord[]) {
    this.rank = rank;
    this.hold = { seq, epoch: 0, workflow: run.workflow };
    this.run = { ...run, seq };
    this.#events = [...events];
    this.#size = events.reduce(
      (sum, { valueJson, errorJson }) => sum + bytesOf(valueJson) + bytesOf(errorJson),
      bytesOf(run.inputJson),
    );
  }

  /** Everything stored about the run. */
  get events(): readonly EventRecord[] {
    return this.#events;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on, `begin` answers "cancelled". */
  cancel(): void {
    this.#isCancelled = true;
  }

  /**
   * Resolves when the writes are stored, or lost.
   * @throws TooLargeError if the writes are too large. Every later write is then refused as well,
   *   except results of other steps and the failure of the run
   */
  async write(writes: readonly RunWrite[]): Promise<WriteOutcome[]> {
    const bytes = bytesOf(JSON.stringify(writes));
    const isTooLarge = bytes > LONGEST_WRITE || (this.#size + bytes > LARGEST_RUN && !writes.every(isFailure));
    if (isTooLarge) this.#refusal = new TooLargeError();
    if (this.#refusal && (isTooLarge || !writes.every(canFollowRefusal))) throw this.#refusal;
    if (this.#isOver) return writes.map(() => "lost");
    this.#size += bytes;
    return new Promise((resolve) => {
      this.#waiting.push({ writes, bytes, resolve, outcomes: [] });
      this.#wake?.();
    });
  }

  /**
   * Waits until something is written, and returns everything written since the last call. Rejects
   * if the call from Restate ends first.
   */
  async collect(): Promise<StepBatch> {
    if (this.#isOver) throw OVER;
    if (this.#waiting.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        this.#fail = reject;
      });
    }
    this.#wake = undefined;
    // Include what the handler does next in this turn of the event loop.
    await setImmediate();
    if (this.#isOver) throw OVER;
    let bytes = 0;
    const tooMany = this.#waiting.findIndex((pending) => (bytes += pending.bytes) > LONGEST_BATCH);
    this.#collected = this.#waiting.splice(0, tooMany === -1 ? Infinity : tooMany);
    const time = Date.now();
    const events: EventRecord[] = [];
    let release: StepBatch["release"];
    for (const pending of this.#collected) {
      pending.outcomes = pending.writes.map((write) => {
        if (release) return "lost";
        if (write.kind === "begin" && this.#isCancelled) return "cancelled";
        if (releases(write)) release = { write, time };
        else events.push(toEvent(events.length + 1, eventOf(write)));
        return "done";
      });
    }
    return { events, ...(release && { release }) };
  }

  /**
   * Call this when the batch is stored.
   * @param released the outcome of its releasing write
   */
  settle(events: readonly EventRecord[], released?: WriteOutcome): void {
    this.#events.push(...events);
    const collected = this.#collected;
    this.#collected = [];
    for (const { writes, outcomes, resolve } of collected) {
      resolve(
        outcomes.map((outcome, at) => (released && outcome === "done" && releases(writes[at]!) ? released : outcome)),
      );
    }
    if (released) this.lose();
  }

  /**
   * From now on, the outcome of every write that isn't stored yet, and of all later ones, is
   * "lost".
   */
  lose(): void {
    this.#isOver = true;
    const lost = [...this.#collected, ...this.#waiting];
    this.#collected = [];
    this.#waiting = [];
    for (const { writes, resolve } of lost) resolve(writes.map(() => "lost"));
    this.#fail?.(OVER);
  }
}

const isFailure = (write: RunWrite): boolean => write.kind === "fail" || (write.kind === "end" && "error" in write);

/** Results of other steps, and the failure of the run. */
const canFollowRefusal = (write: RunWrite): boolean => write.kind === "complete" || isFailure(write);
