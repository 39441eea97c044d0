/** Which runs look different by now, and how they look, as server-sent events. */
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isAbiError } from "../../errors.ts";
import type { Service } from "../../framework/service.ts";
import { CONNECTED, HEARTBEAT_INTERVAL_MS, HEARTBEAT } from "./server-sent-events.ts";

/** Runs whose changes are told one by one. Those who are further behind are told to load their list anew. */
const MAX_REMEMBERED = 200;
/** Between two looks of a stream: a run that changes often is told of once. Milliseconds. */
const PAUSE_MS = 200;

interface Change {
  readonly n: number;
  /** The text that goes over all streams, once one of them has asked for it. */
  text?: Promise<string>;
}

/**
 * The runs that have changed last. Runs are remembered and not what happened to them, so a client that was away for long is told of each run
 * once. Ids of events are of this process: to those that another one has given, and to older ones, the answer is `reset`.
 */
export class RunChanges {
  readonly #service: Service;
  readonly #process = randomBytes(4).toString("hex");
  readonly #news = new EventEmitter<{ change: [] }>().setMaxListeners(0);
  /** By run, in the order of their last changes. */
  readonly #changes = new Map<string, Change>();
  #last = 0;
  /** Number of the last change that is not remembered any more. */
  #forgotten = 0;

  /** @param closing aborts when nobody is to be told any more */
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
   * @param after id of the last event that is known
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

  /** -1 for what is not of this process. */
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
      return await (change.text ??= this.#look(id, change.n));
    } catch (error) {
      // The next request looks again.
      delete change.text;
      throw error;
    }
  }

  /** Nothing for a run that is gone, or of a workflow that this service doesn't have. */
  async #look(workflow_id: string, n: number): Promise<string> {
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

  /** Waits for a change after this one, for as long as nothing need be said. */
  async #isNews(known: number, signal: AbortSignal): Promise<boolean> {
    if (this.#last === known) {
      const enough = AbortSignal.any([signal, AbortSignal.timeout(HEARTBEAT_INTERVAL_MS)]);
      await once(this.#news, "change", { signal: enough }).catch(() => {});
    }
    return this.#last > known;
  }
}
