import { OpenWorkflow } from "openworkflow";
import type { Backend } from "openworkflow/internal";
import { randomUUID } from "node:crypto";
import { ConflictError, IoError, isAbiError, UnexpectedError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import {
  isTerminal,
  type Run,
  type RunFilter,
  type RunHandler,
  type StartedRun,
  type StepEvent,
  type WorkflowEngine,
} from "../engine.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "../retry-policy.ts";
import { createStep } from "./durable-step.ts";
import type { EngineDatabase, RunQueries } from "./engine-database.ts";
import { observeBackend, type WorkflowRun } from "./observed-backend.ts";
import { connectPostgres } from "./postgres-database.ts";
import { publicId, storableError, storedId, toRun } from "./run-record.ts";
import { RunWaiters } from "./run-waiters.ts";
import { openSqlite } from "./sqlite-database.ts";
import { WorkerLoop } from "./worker-loop.ts";

export interface EngineOptions {
  /** Execute runs in this process (default), or only start and look at them. */
  worker?: boolean;
  /** Runs at work at the same time in this process; default 16. A run that waits for a retry does not count. */
  concurrency?: number;
  retry?: RetryPolicy;
  logger?: Logger;
}

/** Where an engine keeps its runs, and how it works. */
export interface OpenWorkflowEngineOptions extends EngineOptions {
  /** SQLite file, which one process at a time may execute; or `":memory:"`, which keeps nothing. Or a database that is open. */
  path: string | EngineDatabase;
}

/** What we keep as a run's input: the caller's, and what tells two starts with one key apart. */
interface Envelope {
  readonly input: Json;
  readonly fingerprint: string;
  /** Of the start that made the run. */
  readonly submission: string;
}

/** How often we look for what other processes did to the same database; what this one does is announced. Milliseconds. */
const POLL_INTERVAL_MS = 1000;
const INTERRUPTED = new IoError("The engine was closed. The run goes on when it is opened again.", {
  code: "interrupted",
});

/**
 * Durable execution on OpenWorkflow (https://openworkflow.dev), in a SQLite file or a PostgreSQL database. Its worker is driven from here instead of
 * by its own polling, so that a start, a retry that is due and the end of a run are acted on at once.
 */
export class OpenWorkflowEngine implements WorkflowEngine {
  readonly #backend: Backend;
  readonly #database: EngineDatabase;
  readonly #queries: RunQueries;
  readonly #client: OpenWorkflow;
  readonly #retry: RetryPolicy;
  readonly #logger: Logger;
  readonly #concurrency: number;
  readonly #registered = new Set<string>();
  readonly #listeners = new Set<(event: StepEvent) => void>();
  readonly #waiters = new RunWaiters();
  /** Run id → the worker slot that executes it here, and whether anybody has executed it before. */
  readonly #claims = new Map<string, { workerId: string; first: boolean }>();
  readonly #executing = new Set<Promise<unknown>>();
  readonly #isWorker: boolean;
  readonly #loop: WorkerLoop;
  #closing: Promise<void> | undefined;

  constructor(options: OpenWorkflowEngineOptions) {
    this.#isWorker = options.worker ?? true;
    this.#retry = options.retry ?? DEFAULT_RETRY_POLICY;
    this.#logger = options.logger ?? silentLogger;
    this.#concurrency = options.concurrency ?? 16;
    this.#loop = new WorkerLoop({ logger: this.#logger, pollIntervalMs: POLL_INTERVAL_MS });
    this.#database = typeof options.path === "string" ? openSqlite(options.path, this.#isWorker) : options.path;
    this.#queries = this.#database.queries;
    this.#backend = observeBackend(this.#database.backend, {
      onClaimed: (run, workerId) => this.#claims.set(run.id, { workerId, first: run.attempts === 1 }),
      onEnded: (runId) => this.#announceEnd(runId),
      onDue: (at) => this.#loop.wakeAt(at),
      mayHaveWork: () => this.#loop.mayHaveWork,
      onNothingDue: () => (this.#loop.mayHaveWork = false),
    });
    this.#client = new OpenWorkflow({ backend: this.#backend });
  }

  /**
   * An engine on a PostgreSQL database, which any number of processes on any number of machines may share.
   * @throws ValidationError for a URL that is none, IoError where the server can't be reached
   */
  static async connect(url: string, options: EngineOptions = {}): Promise<OpenWorkflowEngine> {
    return new OpenWorkflowEngine({ ...options, path: await connectPostgres(url) });
  }

  register(workflow: string, handler: RunHandler): void {
    if (this.#registered.has(workflow)) throw new TypeError(`a workflow named "${workflow}" is registered already`);
    if (this.#loop.started) throw new TypeError(`register "${workflow}" before the first run is started`);
    this.#registered.add(workflow);
    this.#client.defineWorkflow<Envelope, Json>({ name: workflow }, ({ input, step: api, run }) => {
      const execution = this.#execute(run.id, run.createdAt, input.input, api, handler);
      this.#executing.add(execution);
      void execution.catch(() => {}).finally(() => this.#executing.delete(execution));
      return execution;
    });
  }

  /** Begins to execute: unfinished runs of the registered workflows go on. Called by the first `start` as well. */
  resume(): void {
    if (!this.#isWorker || this.#loop.started || this.#closing) return;
    this.#loop.start(this.#client.newWorker({ concurrency: this.#concurrency }));
  }

  async start(
    workflow: string,
    { key, fingerprint, input }: { key: string; fingerprint: string; input: Json },
  ): Promise<StartedRun> {
    this.#assertOpen();
    this.resume();
    const submission = randomUUID();
    const known = await this.#queries.runIdByKey(workflow, key);
    const run = await (known
      ? this.#backend.getWorkflowRun({ workflowRunId: known })
      : this.#backend.createWorkflowRun({
          workflowName: workflow,
          idempotencyKey: key,
          input: { input, fingerprint, submission } satisfies Envelope,
          version: null,
          config: {},
          context: null,
          parentStepAttemptNamespaceId: null,
          parentStepAttemptId: null,
          availableAt: null,
          deadlineAt: null,
        }));
    if (!run) throw new UnexpectedError(new Error(`run ${known} vanished`));
    const envelope = run.input as unknown as Envelope;
    if (envelope.fingerprint !== fingerprint) {
      throw new ConflictError(`"${key}" was submitted before with different content. Give new content a new id.`);
    }
    const created = envelope.submission === submission;
    const resumed = !created && (await this.#queries.resubmit(run.id));
    if (created || resumed) this.#loop.wakeNow();
    return { id: publicId(run.id), outcome: created ? "created" : resumed ? "resumed" : "existing" };
  }

  async wait(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Run> {
    for (;;) {
      signal?.throwIfAborted();
      this.#assertOpen();
      // The waiter is in place before the look: an end between the two is not missed.
      const end = this.#waiters.next(storedId(id), POLL_INTERVAL_MS, signal);
      try {
        const run = await this.get(id);
        if (!run) throw new UnexpectedError(new Error(`no run ${id}`));
        if (isTerminal(run.status)) return run;
        await end.promise;
      } finally {
        end.cancel();
      }
    }
  }

  async get(id: string): Promise<Run | undefined> {
    this.#assertOpen();
    const run = await this.#backend.getWorkflowRun({ workflowRunId: storedId(id) });
    return run ? this.#toRun(run) : undefined;
  }

  async find(workflow: string, key: string): Promise<Run | undefined> {
    this.#assertOpen();
    const runId = await this.#queries.runIdByKey(workflow, key);
    return runId === undefined ? undefined : this.get(publicId(runId));
  }

  async list({ workflow, status, limit = 100 }: RunFilter = {}): Promise<Run[]> {
    this.#assertOpen();
    const runs: Run[] = [];
    let after: string | null = null;
    // Our statuses are finer than OpenWorkflow's, so that the filter is applied here.
    do {
      const page: Awaited<ReturnType<Backend["listWorkflowRuns"]>> = await this.#backend.listWorkflowRuns({
        ...(workflow === undefined ? {} : { workflowName: workflow }),
        ...(after === null ? {} : { after }),
        limit: 100,
      });
      for (const stored of page.data) {
        const run = await this.#toRun(stored);
        if (status === undefined || run.status === status) runs.push(run);
        if (runs.length === limit) return runs;
      }
      after = page.pagination.next;
    } while (after !== null);
    return runs;
  }

  async cancel(id: string): Promise<boolean> {
    const run = await this.get(id);
    if (!run || isTerminal(run.status)) return false;
    await this.#backend.cancelWorkflowRun({ workflowRunId: storedId(id) });
    return true;
  }

  onStep(listener: (event: StepEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#loop.stop(this.#executing);
    this.#waiters.announceAll();
    await this.#database.close();
  }

  /** Runs the author's handler once; whatever it throws leaves in a form that may be stored. */
  async #execute(
    runId: string,
    startTime: Date,
    input: Json,
    api: Parameters<typeof createStep>[0]["api"],
    handler: RunHandler,
  ): Promise<Json> {
    const engineErrors = new Set<unknown>();
    const step = createStep({
      runId: publicId(runId),
      api,
      retry: this.#retry,
      logger: this.#logger,
      failedAttempts: async (name) => (this.#claims.get(runId)?.first ? 0 : this.#queries.failedAttempts(runId, name)),
      beforeStep: () => this.#leaveIfClosing(runId),
      onEngineError: (error) => engineErrors.add(error),
      emit: (event) => this.#emit({ runId: publicId(runId), ...event }),
    });
    try {
      return await handler(input, { runId: publicId(runId), startTime, step });
    } catch (error) {
      if (engineErrors.has(error) || error === INTERRUPTED) throw error;
      if (!isAbiError(error)) {
        this.#logger.error(
          { run_id: publicId(runId), cause: describeCause(error) },
          "a workflow failed between its steps",
        );
      }
      throw storableError(error);
    }
  }

  /** At a step boundary of a closing engine: gives the run back, so that whoever starts next need not wait for the lease. */
  async #leaveIfClosing(runId: string): Promise<void> {
    if (!this.#closing) return;
    const claim = this.#claims.get(runId);
    if (claim) {
      const { workerId } = claim;
      await this.#backend.sleepWorkflowRun({ workflowRunId: runId, workerId, availableAt: new Date() });
    }
    throw INTERRUPTED;
  }

  #announceEnd(runId: string): void {
    this.#claims.delete(runId);
    this.#waiters.announce(runId);
    // The worker's slot is free once OpenWorkflow has returned from what it is in now.
    setImmediate(() => this.#loop.wakeNow());
  }

  #emit(event: StepEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async #toRun(run: WorkflowRun): Promise<Run> {
    return toRun(run, await this.#queries.steps(run.id));
  }

  #assertOpen(): void {
    if (this.#closing) throw INTERRUPTED;
  }
}
