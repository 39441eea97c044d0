import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import pRetry from "p-retry";
import { ConflictError, IoError, isAbiError, UnexpectedError, ValidationError } from "../errors.ts";
import type { Json } from "../json.ts";
import { describeCause, silentLogger, type Logger } from "../log.ts";
import { DATABASE_RETRY, DEFAULT_RETRY_POLICY, type RetryPolicy } from "../retry-policies.ts";
import { answerTo, assertSubject } from "./decision.ts";
import {
  INVALID_START_TIME,
  isAtRest,
  isStartTime,
  type Decision,
  type FollowingRun,
  type NewRun,
  type RegisterOptions,
  type RestedRun,
  type RestingRun,
  type Run,
  type RunCounts,
  type RunEvent,
  type RunFilter,
  type RunHandler,
  type StartedRun,
  type StepAttempt,
  type StepEvent,
  type WorkflowEngine,
} from "./engine.ts";
import { FailureLog } from "./failure-log.ts";
import { Journal } from "./journal.ts";
import type { RestateOptions } from "./restate/options.ts";
import type { NewRunRecord, RunStore, SeenRun } from "./run-store.ts";
import { publicId, storedId, toEvents, toHistory, toRested, toRun } from "./run-view.ts";
import { RunWaiters } from "./run-waiters.ts";
import { SqliteRunStore } from "./sqlite/sqlite-run-store.ts";
import { assertKey, invalid, isStorable, refusedInput, storableInput } from "./storable.ts";
import { settlesWithin } from "../concurrency/settles-within.ts";
import type { ExecutionDependencies } from "./execution.ts";
import { POLL_INTERVAL_MS, Worker, type Registered } from "./worker.ts";

/** Options of every engine, wherever it stores its runs. */
export interface EngineOptions {
  /** Whether to execute runs in this process (default), or only to start and read them. */
  worker?: boolean;
  /**
   * How many runs this process executes at the same time. Default: 16, or the highest `concurrency`
   * of its workflows if that is more. Runs that wait for a retry or a person don't count.
   */
  concurrency?: number;
  /**
   * What the `concurrency` of a workflow applies to: all processes that share the database, taken
   * together (`database`, the default), or each process. The second is faster, because processes
   * needn't agree on whose turn it is. With `process`, workflows have no limits of their own: the
   * option `concurrency`, or by default the highest `concurrency` of a workflow, limits how many
   * runs of all workflows together a process executes at a time.
   */
  concurrencyPer?: "database" | "process";
  retry?: RetryPolicy;
  logger?: Logger;
}

/** Options of an engine on a shared database. */
export interface ConnectOptions extends EngineOptions {
  /** Only for a Restate server. */
  restate?: RestateOptions;
}

/** Options of an engine that name its store. */
export type DurableEngineOptions = EngineOptions &
  (
    | {
        /**
         * A SQLite file, whose runs one process at a time can execute; or `":memory:"`, which
         * stores nothing on disk.
         */
        path: string;
      }
    | {
        /** An open store, which the engine closes. */
        store: RunStore;
      }
  );

/** The default of `EngineOptions.concurrency`, which says when another number applies. */
const DEFAULT_CONCURRENCY = 16;
/** The largest size of `#untouched`, which also collects runs that nobody waits for. */
const MAX_UNTOUCHED = 1000;
/**
 * How long `start` and `wait` retry if the database fails: long enough for a server to restart.
 * Milliseconds.
 */
const PATIENCE_MS = 15_000;
/** How long `close` waits for an answer from the database. Milliseconds. */
const SILENCE_MS = 5000;

const CLOSED = new IoError("The engine was closed. Unfinished runs continue when it is opened again.", {
  code: "interrupted",
});
const NOT_ACCEPTED = new IoError(
  "The engine was closed and has not accepted the run. Submit the run again when the engine is open.",
  { code: "interrupted" },
);

const isUnanswered = (error: unknown): error is IoError => isAbiError(error) && error.code === "engine_unavailable";

/**
 * Whether a caller stops waiting because a step is on its retry budget. The caller first waits for
 * the attempt that was due or running when the wait began.
 * @param known how many attempts had failed then
 */
function isWaitingOnBudget({ failing }: Run, known: number): boolean {
  if (!failing?.until) return false;
  return failing.attempts > known || (failing.nextTry !== undefined && failing.nextTry.getTime() > Date.now());
}

/** @throws ValidationError if it can't be stored */
function recordOf(workflow: string, { key, fingerprint, input, availableAt, priority = 0 }: NewRun): NewRunRecord {
  assertKey(key);
  const inputJson = storableInput(input, "input");
  if (availableAt && !isStartTime(availableAt)) throw invalid("availableAt", INVALID_START_TIME);
  if (!Number.isInteger(priority) || Math.abs(priority) > 1000) {
    throw invalid("priority", "must be an integer from -1000 to 1000");
  }
  const isLater = availableAt && availableAt.getTime() > Date.now();
  const later = isLater ? { availableAt: availableAt.getTime() } : {};
  return { id: randomUUID(), workflow, key, fingerprint, inputJson, priority, ...later };
}

/**
 * The engine that callers see. It checks their input, answers from the store, and starts the
 * worker.
 *
 * Read on in this order:
 *
 * 1. `run-store.ts`: the port to the database, and what each write means.
 * 2. `worker.ts`: claims due runs and executes them.
 * 3. `execution.ts`: one execution of one run; its header says what a crash at each point leaves.
 * 4. `journal.ts`: groups writes, and repeats them while the database is unavailable.
 * 5. `sqlite/`, `postgres/` and `restate/`: the stores.
 */
export class DurableEngine implements WorkflowEngine {
  readonly #store: RunStore;
  readonly #journal: Journal;
  readonly #logger: Logger;
  readonly #retry: RetryPolicy;
  readonly #concurrency: number | undefined;
  readonly #concurrencyPer: NonNullable<EngineOptions["concurrencyPer"]>;
  readonly #isWorker: boolean;
  readonly #workflows = new Map<string, Registered>();
  readonly #indexedFields = new Set<string>();
  readonly #stepListeners = new Set<(event: StepEvent) => void>();
  readonly #restListeners = new Set<(rested: RestedRun) => void>();
  readonly #changeListeners = new Set<(id: string | undefined) => void>();
  /**
   * Runs must not inherit the async context (such as a trace) of the caller that happens to start
   * the worker.
   */
  readonly #outsideOfCalls = AsyncLocalStorage.snapshot();
  readonly #waiters = new RunWaiters();
  /**
   * Runs that were created here and have not changed since, so there is no point in reading them.
   */
  readonly #untouched = new Set<string>();
  readonly #failureLog: FailureLog;
  #followerOf: ((resting: RestingRun) => NewRunRecord | undefined) | undefined;
  #worker: Worker | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Creates an engine on a SQLite file or an open store. For PostgreSQL and Restate, see `connect`.
   * @throws ValidationError, and what opening the file throws (see `SqliteRunStore`)
   */
  constructor(options: DurableEngineOptions) {
    this.#isWorker = options.worker ?? true;
    this.#logger = options.logger ?? silentLogger;
    this.#retry = options.retry ?? DEFAULT_RETRY_POLICY;
    this.#concurrency = options.concurrency;
    this.#concurrencyPer = options.concurrencyPer ?? "database";
    assertPositive(options.concurrency);
    this.#store = "store" in options ? options.store : new SqliteRunStore(options.path, { worker: this.#isWorker });
    this.#assertConcurrency(options.concurrency);
    this.#journal = new Journal(this.#store, this.#logger, () => this.#worker?.executing ?? 0);
    this.#failureLog = new FailureLog(this.#logger);
    this.#store.listen((id) => this.#onAnnouncement(id));
  }

  /**
   * Opens an engine on a PostgreSQL database (`postgres://…`) or a Restate server
   * (`restate+http://…`), which any number of processes and machines can share.
   * @throws ValidationError if the URL or an option is invalid, the Restate SDK is missing, or
   *   another version wrote the runs; IoError if the database can't be opened, or a worker can't
   *   listen at its address for Restate
   */
  static async connect(url: string, { restate, ...options }: ConnectOptions = {}): Promise<DurableEngine> {
    if (/^restate\+/i.test(url)) {
      const { RestateRunStore } = await import("./restate/restate-run-store.ts");
      return engineOn(await RestateRunStore.open(url, { ...restate, ...options }), options);
    }
    const { PostgresRunStore } = await import("./postgres/postgres-run-store.ts");
    return engineOn(await PostgresRunStore.open(url, options), options);
  }

  /** @throws ValidationError (`invalid_configuration`) */
  #assertConcurrency(concurrency: number | undefined): void {
    const { highestConcurrency = Infinity } = this.#store;
    if (concurrency === undefined || concurrency <= highestConcurrency) return;
    throw new ValidationError(
      `On this database, concurrency can be at most ${highestConcurrency}, not ${concurrency}. Lower MAX_PARALLEL_REQUESTS ` +
        "(maxParallelRequests), or the concurrency of the engine or the workflow.",
      { code: "invalid_configuration" },
    );
  }

  register(workflow: string, handler: RunHandler, { concurrency, indexedFields = [] }: RegisterOptions = {}): void {
    if (this.#workflows.has(workflow)) throw new TypeError(`a workflow named "${workflow}" is registered already`);
    if (this.#worker) throw new TypeError(`register "${workflow}" before the first run is started`);
    for (const field of indexedFields) {
      if (!/^\w{1,60}$/.test(field))
        throw new TypeError(`the indexed field "${field}" must have 1 to 60 letters, digits or _`);
    }
    assertPositive(concurrency);
    this.#assertConcurrency(concurrency);
    this.#workflows.set(workflow, { handler, limit: concurrency ?? null });
    for (const field of indexedFields) this.#indexedFields.add(field);
  }

  follow(plan: (resting: RestingRun) => FollowingRun | undefined): void {
    if (this.#worker) throw new TypeError("call follow before the first run is started");
    if (this.#followerOf) throw new TypeError("follow was called already");
    this.#followerOf = (resting) => {
      try {
        const following = plan(resting);
        return following && recordOf(following.workflow, following);
      } catch (error) {
        // A faulty plan must not prevent a run from ending.
        this.#logger.error({ run_id: resting.id, cause: describeCause(error) }, "the run that follows was not planned");
        return undefined;
      }
    };
  }

  /**
   * Begins to execute runs, if this process executes any. Unfinished runs of the registered
   * workflows continue. Every `start` calls it; further calls do nothing.
   */
  startWorker(): void {
    if (!this.#isWorker || this.#worker || this.#closing) return;
    const limits = [...this.#workflows.values()].flatMap(({ limit }) => limit ?? []);
    const isPerProcess = this.#concurrencyPer === "process" && limits.length > 0;
    const slots = this.#concurrency ?? Math.max(isPerProcess ? 1 : DEFAULT_CONCURRENCY, ...limits);
    const workflows = isPerProcess ? withoutLimits(this.#workflows) : this.#workflows;
    const dependencies: ExecutionDependencies = {
      store: this.#store,
      journal: this.#journal,
      retry: this.#retry,
      logger: this.#logger,
      failureLog: this.#failureLog,
      followerOf: this.#followerOf ?? (() => undefined),
      isClosing: () => this.#closing !== undefined,
      announce: (id) => this.#announce(id),
      left: (id, ended) => this.#tellEverybody(id, ended),
      emit: (event) => {
        this.#tell(this.#stepListeners, event);
        this.#tell(this.#changeListeners, event.runId);
      },
      rested: (run) => this.#tell(this.#restListeners, run),
    };
    this.#worker = this.#outsideOfCalls(() => new Worker(workflows, slots, dependencies));
    for (const field of this.#indexedFields) {
      this.#store.index(field).catch((error: unknown) => {
        this.#logger.warn(
          { field, cause: describeCause(error) },
          "runs are not indexed by this field, so listing runs by it is slow",
        );
      });
    }
    // A restart often follows a fix, so steps that wait on their retry budget are retried at once.
    void this.#withStore(() => this.#store.hastenRetries()).then(
      (hastened) => hastened && this.#worker?.wake(),
      (error: unknown) =>
        this.#logger.warn({ cause: describeCause(error) }, "runs that wait for a retry could not be retried at once"),
    );
  }

  async start(workflow: string, newRun: NewRun): Promise<StartedRun> {
    const run = recordOf(workflow, newRun);
    const { key } = run;
    const submit = async (): Promise<StartedRun> => {
      this.startWorker();
      const { id, outcome } = await this.#journal.accept(run);
      if (outcome === "conflict") {
        throw new ConflictError(`"${key}" was submitted before with different content. Give new content a new id.`);
      }
      if (outcome !== "existing") this.#announce(id);
      if (outcome === "created") this.#noteUntouched(id);
      return { id: publicId(id), outcome };
    };
    // The key makes the submission safe to repeat, so the caller need not handle a lost connection.
    return pRetry(() => this.#withStore(submit), {
      retries: Infinity,
      minTimeout: DATABASE_RETRY.initialDelayMs,
      maxTimeout: DATABASE_RETRY.maximumDelayMs,
      maxRetryTime: PATIENCE_MS,
      shouldRetry: ({ error }) => isUnanswered(error),
    }).catch((error: unknown) => {
      if (error === CLOSED) throw NOT_ACCEPTED;
      throw isUnanswered(error) ? this.#unanswered(SUBMIT_AGAIN, error.cause) : error;
    });
  }

  async wait(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Run> {
    let failingSince: number | undefined;
    let failures = this.#untouched.has(storedId(id)) ? 0 : undefined;
    for (;;) {
      signal?.throwIfAborted();
      // Subscribe before looking, so that an end between the two is not missed.
      const end = this.#waiters.next(storedId(id), POLL_INTERVAL_MS, signal);
      try {
        const isUntouched = this.#untouched.delete(storedId(id));
        const run = isUntouched
          ? null
          : await this.get(id).catch((error: unknown) => {
              failingSince ??= performance.now();
              if (!isUnanswered(error) || performance.now() - failingSince > PATIENCE_MS) throw error;
              return null;
            });
        if (run === undefined) throw new UnexpectedError(new Error(`no run ${id}`));
        if (run !== null) {
          failingSince = undefined;
          failures ??= run.failing?.attempts ?? 0;
          if (isAtRest(run.status) || isWaitingOnBudget(run, failures)) return run;
          if ((this.#worker?.failingForMs ?? 0) > PATIENCE_MS) throw this.#unanswered(RUNS_CONTINUE);
        }
        const ended = await end.promise;
        if (ended) return toRun(ended);
      } finally {
        end.cancel();
      }
    }
  }

  #noteUntouched(id: string): void {
    if (this.#untouched.size >= MAX_UNTOUCHED) this.#untouched.clear();
    this.#untouched.add(id);
  }

  async get(id: string): Promise<Run | undefined> {
    const seen = await this.#seen(id);
    return seen && toRun(seen);
  }

  #seen(id: string): Promise<SeenRun | undefined> {
    return this.#withStore(() => this.#store.byId(storedId(id)));
  }

  find(workflow: string, key: string): Promise<Run | undefined> {
    return this.#withStore(async () => {
      const seen = isStorable(key) ? await this.#store.byKey(workflow, key) : undefined;
      return seen && toRun(seen);
    });
  }

  list({ after, limit = 100, startedSince, startedBefore, ...filter }: RunFilter = {}): Promise<Run[]> {
    return this.#withStore(async () => {
      if (!Number.isSafeInteger(limit) || limit < 0)
        throw invalid("limit", "must be a whole number that is not negative");
      for (const [name, date] of Object.entries({ startedSince, startedBefore })) {
        if (Number.isNaN(date?.getTime())) throw invalid(name, "must be a valid date");
      }
      if (!isStorable({ after, ...filter })) return []; // no run has such a field
      const seen = await this.#store.find({
        ...filter,
        limit,
        ...(after !== undefined && { after: storedId(after) }),
        ...(startedSince !== undefined && { startedSince: startedSince.getTime() }),
        ...(startedBefore !== undefined && { startedBefore: startedBefore.getTime() }),
      });
      return seen.map(toRun);
    });
  }

  async history(id: string): Promise<StepAttempt[]> {
    const seen = await this.#seen(id);
    return seen ? toHistory(seen) : [];
  }

  async events(id: string, after = -1): Promise<RunEvent[]> {
    const seen = await this.#seen(id);
    return seen ? toEvents(seen, after) : [];
  }

  counts(): Promise<RunCounts[]> {
    return this.#withStore(() => this.#store.counts());
  }

  forget(id: string): Promise<boolean> {
    return this.#withStore(() => this.#store.forget(storedId(id)));
  }

  retry(id: string): Promise<boolean> {
    return this.#withStore(async () => {
      const isRetried = await this.#store.retry(storedId(id));
      if (isRetried) this.#announce(storedId(id));
      return isRetried;
    });
  }

  cancel(id: string): Promise<boolean> {
    return this.#withStore(async () => {
      const answer = await this.#store.cancel(storedId(id));
      if (answer === "cancelled") {
        this.#failureLog.ended(id);
        this.#announce(storedId(id));
        await this.#tellOfCancelled(id);
      }
      return answer !== undefined;
    });
  }

  async #tellOfCancelled(id: string): Promise<void> {
    if (this.#restListeners.size === 0) return;
    const { run } = (await this.#store.byId(storedId(id)).catch(() => undefined)) ?? {};
    if (!run || run.endedAt === null) return;
    this.#tell(this.#restListeners, toRested(run, { status: "cancelled" }, run.endedAt));
  }

  async decide(id: string, subject: string, value: Json): Promise<Decision> {
    for (;;) {
      const { taken, answer } = await this.#decision(id, subject, value, { take: true });
      if (taken) this.#announce(storedId(id));
      // No answer means that the run has changed in between: try again.
      if (answer) return answer;
    }
  }

  async standingDecision(id: string, subject: string, value: Json): Promise<Decision | undefined> {
    return (await this.#decision(id, subject, value, { take: false })).answer;
  }

  #decision(id: string, subject: string, value: Json, options: { take: boolean }) {
    return this.#withStore(async (): Promise<{ taken: boolean; answer: Decision | undefined }> => {
      assertSubject(subject);
      const decision = { valueJson: storableInput(value, "value"), time: Date.now() };
      const outcome = await this.#store.decide(storedId(id), subject, decision, options);
      return { taken: outcome.taken, answer: answerTo(outcome, subject, decision.valueJson) };
    });
  }

  onStep(listener: (event: StepEvent) => void): () => void {
    this.#stepListeners.add(listener);
    return () => this.#stepListeners.delete(listener);
  }

  onRest(listener: (rested: RestedRun) => void): () => void {
    this.#restListeners.add(listener);
    return () => this.#restListeners.delete(listener);
  }

  onChange(listener: (id: string | undefined) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#journal.closeSoon();
    if (this.#worker) {
      let answers = await settlesWithin(this.#worker.stop(), SILENCE_MS);
      // If this fails, other workers skip our turn after three seconds anyway.
      if (answers) answers = await settlesWithin(this.#store.leaveQueue(), SILENCE_MS);
      if (answers) await this.#drain(this.#worker.drained());
    }
    this.#waiters.announceAll();
    await this.#store.close();
  }

  /**
   * Waits for running steps, however long they take, as long as the database answers. If it doesn't,
   * their runs are left as a crash would leave them.
   */
  async #drain(drained: Promise<void>): Promise<void> {
    while (!(await settlesWithin(drained, SILENCE_MS))) {
      if (!(await settlesWithin(this.#store.byId(""), SILENCE_MS))) return;
    }
  }

  /**
   * Notifies everything that waits for a run or for work, here and in every process on the same
   * database.
   */
  #announce(id: string): void {
    this.#tellEverybody(id);
    this.#worker?.wake();
  }

  /** Notifies everyone except this process's own worker. */
  #tellEverybody(id: string, ended?: SeenRun): void {
    this.#tellHere(id, ended);
    this.#store.announce(id);
  }

  #onAnnouncement(id: string | undefined): void {
    this.#tellHere(id);
    this.#worker?.wake();
  }

  #tellHere(id: string | undefined, ended?: SeenRun): void {
    if (id === undefined) {
      this.#untouched.clear();
      this.#waiters.announceAll();
    } else {
      this.#untouched.delete(id);
      this.#waiters.announce(id, ended);
    }
    this.#tell(this.#changeListeners, id === undefined ? undefined : publicId(id));
  }

  #tell<Event>(listeners: ReadonlySet<(event: Event) => void>, event: Event): void {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        // Listeners must not affect the run.
        this.#logger.error({ cause: describeCause(error) }, "a listener for run events failed");
      }
    }
  }

  #unanswered(advice: string, cause?: unknown): IoError {
    const trouble = `The workflow database does not answer as it should: ${this.#store.adviceFor(cause)} ${advice}`;
    return new IoError(trouble, { code: "engine_unavailable", cause });
  }

  /**
   * Runs a caller's work on the database. Rejects if the engine is closed. A failure of the
   * database becomes a retriable error.
   */
  async #withStore<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closing) throw CLOSED;
    try {
      return await work();
    } catch (cause) {
      if (isAbiError(cause)) throw cause;
      if (this.#store.isUnwritable(cause)) throw refusedInput(cause);
      if (this.#closing) throw CLOSED;
      throw this.#unanswered(RUNS_CONTINUE, cause);
    }
  }
}

const withoutLimits = (workflows: ReadonlyMap<string, Registered>): ReadonlyMap<string, Registered> =>
  new Map([...workflows].map(([name, { handler }]) => [name, { handler, limit: null }]));

const RUNS_CONTINUE = "Submitted runs continue once the database answers.";
const SUBMIT_AGAIN = "Submit the run again once the database answers.";

/** Without any slots, runs would stay `started`, and nobody would know why. */
function assertPositive(concurrency: number | undefined): void {
  if (concurrency === undefined || (Number.isInteger(concurrency) && concurrency > 0)) return;
  throw new ValidationError(`concurrency must be a whole number of at least 1, not ${concurrency}.`, {
    code: "invalid_configuration",
  });
}

/** @throws what the engine's constructor throws; the store is then closed again */
async function engineOn(
  store: RunStore,
  options: Omit<DurableEngineOptions, "path" | "store">,
): Promise<DurableEngine> {
  try {
    return new DurableEngine({ ...options, store });
  } catch (error) {
    await store.close();
    throw error;
  }
}
