import { Worker } from "node:worker_threads";
import { fromWireError, IoError } from "../../errors.ts";
import { timedOut, timerMs } from "../sparql/question.ts";
import type { GraphChange } from "./graph-change.ts";
import type { CopyQuestion, CopySource, FromCopy, ToCopy } from "./graph-copy-protocol.ts";
import { tooLarge } from "./graph-index.ts";

/** How many queries may wait, for the current one or for the graph to be read. */
const MAX_WAITING = 32;

// The worker is next to this file, as source or compiled.
const WORKER = new URL(
  `./graph-copy-worker${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`,
  import.meta.url,
);

interface Job {
  readonly question: CopyQuestion;
  readonly timeoutMs: number;
  readonly resolve: (text: string) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A copy of the graph in a worker thread. It is made at the first query, and gets every change from
 * then on. It answers one query at a time. Stopping a query ends the thread; the next query starts
 * another.
 */
export class GraphCopy {
  readonly #source: () => CopySource;
  #worker: Worker | undefined;
  /** Whether the copy has been read. */
  #isReady = false;
  readonly #waiting: Job[] = [];
  #current: Job | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param source called whenever a thread is started */
  constructor(source: () => CopySource) {
    this.#source = source;
  }

  /**
   * The answer as text.
   * @param timeoutMs counted from when the graph has been read and no other query is running
   * @throws ValidationError, IoError, the signal's reason
   */
  async ask(
    question: CopyQuestion,
    { timeoutMs = Infinity, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<string> {
    signal?.throwIfAborted();
    if (this.#waiting.length >= MAX_WAITING) {
      throw new IoError("Too many queries are already waiting. Try again later.", { code: "too_many_queries" });
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const job: Job = { question, timeoutMs, resolve, reject };
    const abort = (): void => this.#abandon(job, signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#waiting.push(job);
    this.#next();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Passes on committed changes. If no thread is running, the next one reads them from the source.
   */
  follow(changes: readonly GraphChange[]): void {
    if (this.#worker) tell(this.#worker, { kind: "change", changes });
  }

  /** Ends the thread. The current query and all waiting ones fail with `reason`. */
  async close(reason: unknown): Promise<void> {
    for (const job of this.#waiting.splice(0)) job.reject(reason);
    this.#settle()?.reject(reason);
    await this.#discard();
  }

  #next(): void {
    if (this.#current) return;
    if (this.#waiting.length === 0) return this.#worker?.unref();
    try {
      this.#worker ??= this.#start();
    } catch (error) {
      return this.#lose(error);
    }
    this.#worker.ref();
    // Until the graph has been read, queries stay in the queue, so that callers can give up without
    // ending the thread.
    if (this.#isReady) this.#send(this.#worker, this.#waiting.shift()!);
  }

  #send(worker: Worker, job: Job): void {
    this.#current = job;
    tell(worker, { kind: "ask", question: job.question });
    const { timeoutMs } = job;
    if (timeoutMs === Infinity) return;
    this.#timer = setTimeout(() => this.#lose(timedOut(timeoutMs)), timerMs(timeoutMs));
  }

  #start(): Worker {
    const worker = new Worker(WORKER, { workerData: this.#source() });
    const whileUsed = (work: () => void): void => {
      if (this.#worker === worker) work();
    };
    worker.on("message", (message: FromCopy) => whileUsed(() => this.#hear(message)));
    // This only happens if memory or stack is exhausted. Errors in a query come as messages.
    worker.on("error", (cause) => whileUsed(() => this.#lose(tooLarge(cause))));
    worker.on("exit", () => whileUsed(() => this.#lose(tooLarge())));
    return worker;
  }

  #hear(message: FromCopy): void {
    switch (message.kind) {
      case "ready":
        this.#isReady = true;
        return this.#next();
      case "answered":
        return this.#finish(({ resolve }) => resolve(message.text));
      case "failed": {
        const error = fromWireError(message.error);
        return message.isLost ? this.#lose(error) : this.#finish(({ reject }) => reject(error));
      }
    }
  }

  #abandon(job: Job, reason: unknown): void {
    if (this.#current === job) return this.#lose(reason);
    const index = this.#waiting.indexOf(job);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    job.reject(reason);
    this.#next();
  }

  /**
   * Ends the thread; the current query fails. If the graph was still being read, all waiting
   * queries fail too.
   */
  #lose(reason: unknown): void {
    const lost = this.#isReady ? [] : this.#waiting.splice(0);
    void this.#discard();
    for (const job of lost) job.reject(reason);
    this.#finish(({ reject }) => reject(reason));
  }

  #finish(settle: (job: Job) => void): void {
    const job = this.#settle();
    if (job) settle(job);
    this.#next();
  }

  #settle(): Job | undefined {
    const job = this.#current;
    this.#current = undefined;
    clearTimeout(this.#timer);
    return job;
  }

  async #discard(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#isReady = false;
    await worker?.terminate();
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
const tell = (worker: Worker, message: ToCopy): void => worker.postMessage(message);
