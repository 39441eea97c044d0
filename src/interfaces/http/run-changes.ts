/** Changed runs and their current state, as server-sent events. */
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isAbiError } from "../../errors.ts";
import type { Service } from "../../framework/service.ts";
import { CONNECTED, HEARTBEAT_INTERVAL_MS, HEARTBEAT } from "./server-sent-events.ts";

/**
 * How many changed runs are remembered. Clients that have missed more are told to reload their
 * list.
 */
const MAX_REMEMBERED = 200;
/**
 * How long a stream pauses between two reads, so that several changes of a run are sent as one.
 * Milliseconds.
 */
const PAUSE_MS = 200;

interface Change {
  readonly n: number;
  /** The event's text, the same for all streams; absent until one of them needs it. */
  text?: Promise<string>;
}

/**
 * The runs that changed last. Only the runs are remembered, not each change, so a client that was
 * away for long receives each run once. Event ids are only valid in this process. For an id from
 * another process, an id that is too old, or none, the first event is `reset`.
 */
export class RunChanges {
  readonly #service: Service;
  readonly #process = randomBytes(4).toString("hex");
  readonly #news = new EventEmitter<{ change: [] }>().setMaxListeners(0);
  /** By run, in the order of their latest changes. */
  readonly #changes = new Map<string, Change>();
  #last = 0;
  /** Number of the last change that is no longer remembered. */
  #forgotten = 0;

  /** @param closing aborts when streams should end */
  constructor(service: Service, closing: AbortSignal) {
    this.#service = service;
    const stop = service.engine.onChange((id) => this.#note(id));
    closing.addEventListener("abort", stop, { once: true });
  }

  #note(id: string | undefined): void {
    this.#last += 1;
    if (id === undefined) this.#forgotten = this.#last;
    else {
      this.#changes.delete(id);
      this.#changes.set(id, { n: this.#last });
    }
    const [first] = this.#changes;
    if (first && this.#changes.size > MAX_REMEMBERED) {
      this.#changes.delete(first[0]);
      this.#forgotten = Math.max(this.#forgotten, first[1].n);
    }
    this.#news.emit("change");
  }

  /**
   * The text of a stream, until `signal` ends it.
   * @param after id of the last event that the client has
   */
  async *follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<string> {
    yield CONNECTED;
    let known = this.#numberOf(after);
    while (!signal.aborted) {
      const last = this.#last;
      yield* this.#since(known);
      known = last;
      if (await this.#isNews(known, signal)) await sleep(PAUSE_MS, undefined, { signal, ref: false }).catch(() => {});
      else yield HEARTBEAT;
    }
  }

  /** -1 for an id that is not from this process. */
  #numberOf(id: string | undefined): number {
    const [, process, n] = /^\s*([0-9a-f]{8})-(\d{1,15})\s*$/.exec(id ?? "") ?? [];
    return process === this.#process ? Number(n) : -1;
  }

  async *#since(known: number): AsyncGenerator<string> {
    if (known < this.#forgotten) {
      yield this.#event(this.#last, "reset", {});
      return;
    }
    const changed = [...this.#changes].filter(([, { n }]) => n > known);
    for (const [id, change] of changed) {
      yield await this.#textOf(id, change);
    }
  }

  async #textOf(id: string, change: Change): Promise<string> {
    try {
      return await (change.text ??= this.#read(id, change.n));
    } catch (error) {
      // The next stream that needs the text reads the run again.
      delete change.text;
      throw error;
    }
  }

  /**
   * The event's text; empty for a deleted run, or one of a workflow that this service doesn't have.
   */
  async #read(workflow_id: string, n: number): Promise<string> {
    try {
      return this.#event(n, "run", await this.#service.operation("get_run").run({ workflow_id }, {}));
    } catch (error) {
      if (isAbiError(error) && error.code === "unknown_run") return "";
      throw error;
    }
  }

  #event(n: number, type: "run" | "reset", data: object): string {
    return `id: ${this.#process}-${n}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** Waits for a change after this one; false if it is time for a heartbeat instead. */
  async #isNews(known: number, signal: AbortSignal): Promise<boolean> {
    if (this.#last === known) {
      const enough = AbortSignal.any([signal, AbortSignal.timeout(HEARTBEAT_INTERVAL_MS)]);
      await once(this.#news, "change", { signal: enough }).catch(() => {});
    }
    return this.#last > known;
  }
}
