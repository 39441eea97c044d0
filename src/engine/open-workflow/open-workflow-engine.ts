import { OpenWorkflow } from "openworkflow";
import type { Backend } from "openworkflow/internal";
import { randomUUID } from "node:crypto";
import pRetry from "p-retry";
import { ConflictError, IoError, isAbiError, UnexpectedError, ValidationError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import {
  isAtRest,
  isStartTime,
  isTerminal,
  NO_START_TIME,
  type Decision,
  type NewRun,
  type RegisterOptions,
  type Run,
  type RunFilter,
  type RunHandler,
  type StartedRun,
  type StepAttempt,
  type StepEvent,
  type WorkflowEngine,
} from "../engine.ts";
import { FailureLog } from "../failure-log.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "../retry-policy.ts";
import { assertSubject, standingDecision, toDecision } from "./decision.ts";
import type { EngineDatabase, RunQueries } from "./engine-database.ts";
import { Executions, INTERRUPTED, type Claim } from "./executions.ts";
import { FOR_EVER, observeBackend, type BackendObserver, type WorkflowRun } from "./observed-backend.ts";
import { Persistence } from "./persistence.ts";
import { connectPostgres } from "./postgres-database.ts";
import { isUnwritable, troubleOf } from "./postgres-error.ts";
import { recordedSteps } from "./recorded-steps.ts";
import { envelopeOf, publicId, storedId, toHistory, toRun, type Envelope } from "./run-record.ts";
import { RunWaiters } from "./run-waiters.ts";
import { openSqliteDatabase } from "./sqlite-database.ts";
import { assertKey, assertStorable, isStorable, refusedInput } from "./storable.ts";
import { settlesWithin } from "./within.ts";
import { WorkerLoop } from "./worker-loop.ts";

export interface EngineOptions {
  /** Execute runs in this process (default), or only start and look at them. */
  worker?: boolean;
  /** Runs at work at the same time in this process; default 16, or as many as one of its workflows may have. One that waits for a retry does not count. */
  concurrency?: number;
  retry?: RetryPolicy;
  logger?: Logger;
}

/** Where an engine keeps its runs, and how it works. */
export type OpenWorkflowEngineOptions = EngineOptions &
  (
    | {
        /** SQLite file, which one process at a time may execute; or `":memory:"`, which keeps nothing. */
        path: string;
      }
    | {
        /** A database that is open; the engine closes it. */
        database: EngineDatabase;
      }
  );

/** Runs at work at the same time in one process, where neither the engine nor a workflow says. */
const DEFAULT_CONCURRENCY = 16;
/** How often we look for what other processes did to the same database; what this one does is announced. Milliseconds. */
const POLL_INTERVAL_MS = 1000;
/** How long those who submit a run or wait for one bear with a database that fails: long enough for a server to be restarted. Milliseconds. */
const PATIENCE_MS = 15_000;
/** How long an engine that closes waits for an answer of the database. Milliseconds. */
const SILENCE_MS = 5000;
const unanswered = (cause?: unknown): IoError =>
  new IoError(
    `The workflow database does not answer as it should: ${troubleOf(cause)} What was submitted goes on when it does.`,
    { code: "engine_unavailable", cause },
  );
const notTaken = (cause: unknown): IoError =>
  new IoError(`The workflow database does not answer as it should: ${troubleOf(cause)} Submit it again when it does.`, {
    code: "engine_unavailable",
    cause,
  });
const isUnanswered = (error: unknown): error is IoError => isAbiError(error) && error.code === "engine_unavailable";
/** @param known how many of its attempts had failed when somebody began to wait: they wait for the one that is due or at work then */
function isPutOffForLong({ failing }: Run, known: number): boolean {
  if (!failing?.until) return false;
  return failing.attempts > known || (failing.nextTry !== undefined && failing.nextTry.getTime() > Date.now());
}

function assertStartTime(time: Date): void {
  if (isStartTime(time)) return;
  throw new ValidationError(`availableAt ${NO_START_TIME}.`, {
    issues: [{ path: "availableAt", message: NO_START_TIME }],
  });
}

const NOT_ACCEPTED = new IoError(
  "The engine was closed and has not accepted the run. Submit it again when it is open.",
  {
    code: "interrupted",
  },
);

/**
 * Durable execution on OpenWorkflow (https://openworkflow.dev), in a SQLite file or a PostgreSQL database. Its worker is driven from here instead of
 * by its own polling, so that a start, a retry that is due and the end of a run are acted on at once.
 */
export class OpenWorkflowEngine implements WorkflowEngine {
  readonly #backend: Backend;
  readonly #database: EngineDatabase;
  readonly #queries: RunQueries;
  readonly #client: OpenWorkflow;
  readonly #logger: Logger;
  readonly #concurrency: number | undefined;
  readonly #registered = new Map<string, number | null>();
  readonly #listeners = new Set<(event: StepEvent) => void>();
  readonly #waiters = new RunWaiters();
  readonly #persistence: Persistence;
  readonly #failureLog: FailureLog;
  readonly #executions: Executions;
  readonly #isWorker: boolean;
  readonly #loop: WorkerLoop;
  #closing: Promise<void> | undefined;

  /** An engine on a SQLite file; for PostgreSQL see `connect`. */
  constructor(options: OpenWorkflowEngineOptions) {
    this.#isWorker = options.worker ?? true;
    this.#logger = options.logger ?? silentLogger;
    this.#persistence = new Persistence(this.#logger);
    this.#failureLog = new FailureLog(this.#logger);
    this.#concurrency = options.concurrency;
    this.#loop = new WorkerLoop({ logger: this.#logger, pollIntervalMs: POLL_INTERVAL_MS });
    this.#database = "database" in options ? options.database : openSqliteDatabase(options.path, this.#isWorker);
    this.#queries = this.#database.queries;
    const observer: BackendObserver = {
      onAsked: (workerId) => this.#executions.asked(workerId),
      claim: (slot) => this.#database.claim(slot, this.#registered, this.#executions.slots),
      onClaimed: (run, workerId) => this.#executions.claimed(run, workerId),
      parked: (workerId) => this.#executions.parked(workerId),
      onEnded: (run) => {
        this.#failureLog.passed(publicId(run.id));
        this.#executions.left(run, "a run has ended");
      },
      cancel: async (run) => (await this.#queries.cancel(run.id)) === "cancelled",
      onPutOff: (run, dueAt) => {
        this.#executions.left(run, "a run is put off");
        this.#loop.wakeAt(dueAt);
      },
      mayHaveWork: () => this.#loop.mayHaveWork,
      onNothingDue: () => (this.#loop.mayHaveWork = false),
      onClaimFailed: (error) => this.#loop.claimFailed(error),
      onLeaseNotRenewed: (error) => {
        this.#logger.warn({ cause: describeCause(error) }, "the lease of a run could not be renewed; trying again");
      },
    };
    this.#backend = observeBackend(this.#database.backend, observer, this.#persistence);
    this.#executions = new Executions({
      backend: this.#backend,
      queries: this.#queries,
      persistence: this.#persistence,
      retry: options.retry ?? DEFAULT_RETRY_POLICY,
      logger: this.#logger,
      failureLog: this.#failureLog,
      recordedSteps: (...run) => recordedSteps(this.#database.backend, ...run),
      isClosing: () => this.#closing !== undefined,
      onHappened: (runId) => this.#happened(runId),
      onFree: () => this.#loop.wakeNow(),
      emit: (event) => this.#emit(event),
    });
    this.#client = new OpenWorkflow({ backend: this.#backend });
    this.#database.listen((runId) => this.#heard(runId));
  }

  /**
   * An engine on a PostgreSQL database, which any number of processes on any number of machines may share.
   * @throws ValidationError for a URL that is none, IoError where the database can't be opened
   */
  static async connect(url: string, options: EngineOptions = {}): Promise<OpenWorkflowEngine> {
    return new OpenWorkflowEngine({ ...options, database: await connectPostgres(url, options) });
  }

  register(workflow: string, handler: RunHandler, { concurrency }: RegisterOptions = {}): void {
    if (this.#registered.has(workflow)) throw new TypeError(`a workflow named "${workflow}" is registered already`);
    if (this.#loop.started) throw new TypeError(`register "${workflow}" before the first run is started`);
    this.#registered.set(workflow, concurrency ?? null);
    this.#client.defineWorkflow<Claim, Json>({ name: workflow, retryPolicy: FOR_EVER }, ({ input: claim, step }) =>
      this.#executions.execute(claim, step, handler),
    );
  }

  /** Begins to execute: unfinished runs of the registered workflows go on. Called by the first `start` as well. */
  resume(): void {
    if (!this.#isWorker || this.#loop.started || this.#closing) return;
    const limits = [...this.#registered.values()].filter((limit) => limit !== null);
    this.#loop.start(
      this.#client.newWorker({ concurrency: this.#concurrency ?? Math.max(DEFAULT_CONCURRENCY, ...limits) }),
    );
    // What made their steps fail may be over, and whoever has just started this process waits to see that.
    void this.#reach(() => this.#queries.hasten()).then(
      (hastened) => hastened && this.#loop.wakeNow(),
      (error: unknown) =>
        this.#logger.warn({ cause: describeCause(error) }, "runs that wait for a retry were not hastened"),
    );
  }

  async start(workflow: string, { key, fingerprint, input, availableAt: wanted }: NewRun): Promise<StartedRun> {
    assertKey(key);
    assertStorable(input, "input");
    if (wanted) assertStartTime(wanted);
    const availableAt = wanted && wanted.getTime() > Date.now() ? wanted : undefined;
    const submission = randomUUID();
    const submit = async (): Promise<StartedRun> => {
      this.resume();
      const run = await this.#findOrCreate(workflow, key, { input, fingerprint, submission }, availableAt);
      const envelope = envelopeOf(run);
      if (envelope.fingerprint !== fingerprint) {
        throw new ConflictError(`"${key}" was submitted before with different content. Give new content a new id.`);
      }
      const created = envelope.submission === submission;
      const resumed = !created && (await this.#queries.resubmit(run.id, availableAt));
      const hastened = !created && !resumed && (await this.#queries.hasten(run.id));
      if (created || resumed || hastened) this.#happened(run.id);
      if (availableAt && (created || resumed)) this.#loop.wakeAt(availableAt);
      return { id: publicId(run.id), outcome: created ? "created" : resumed || hastened ? "resumed" : "existing" };
    };
    // By its key it is made once, however often it is tried: a lost connection need not be the caller's trouble.
    return pRetry(() => this.#reach(submit), {
      retries: Infinity,
      minTimeout: 50,
      maxTimeout: 1000,
      maxRetryTime: PATIENCE_MS,
      shouldRetry: ({ error }) => isUnanswered(error),
    }).catch((error: unknown) => {
      if (error === INTERRUPTED) throw NOT_ACCEPTED;
      throw isUnanswered(error) ? notTaken(error.cause) : error;
    });
  }

  async wait(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Run> {
    let failingSince: number | undefined;
    let failures: number | undefined;
    for (;;) {
      signal?.throwIfAborted();
      // The waiter is in place before the look: an end between the two is not missed.
      const end = this.#waiters.next(storedId(id), POLL_INTERVAL_MS, signal);
      try {
        const run = await this.get(id).catch((error: unknown) => {
          failingSince ??= performance.now();
          if (!isUnanswered(error) || performance.now() - failingSince > PATIENCE_MS) throw error;
          return null;
        });
        if (run === undefined) throw new UnexpectedError(new Error(`no run ${id}`));
        if (run !== null) {
          failingSince = undefined;
          failures ??= run.failing?.attempts ?? 0;
          if (isAtRest(run.status) || isPutOffForLong(run, failures)) return run;
          if (this.#loop.failingForMs > PATIENCE_MS) throw unanswered();
        }
        await end.promise;
      } finally {
        end.cancel();
      }
    }
  }

  get(id: string): Promise<Run | undefined> {
    return this.#reach(() => this.#get(storedId(id)));
  }

  find(workflow: string, key: string): Promise<Run | undefined> {
    return this.#reach(async () => {
      const runId = isStorable(key) ? await this.#queries.runIdByKey(workflow, key) : undefined;
      return runId === undefined ? undefined : this.#get(runId);
    });
  }

  list({ after, limit = 100, ...filter }: RunFilter = {}): Promise<Run[]> {
    return this.#reach(async () => {
      if (!isStorable({ after, ...filter })) return []; // no run has such a field
      const place = after === undefined ? {} : { after: storedId(after) };
      const runIds = await this.#queries.runIds({ ...filter, ...place, limit });
      const runs = await Promise.all(runIds.map((runId) => this.#get(runId)));
      return runs.filter((run) => run !== undefined);
    });
  }

  history(id: string): Promise<StepAttempt[]> {
    return this.#reach(async () => {
      const run = await this.#get(storedId(id));
      return toHistory(await this.#queries.steps(storedId(id)), run !== undefined && isTerminal(run.status));
    });
  }

  retry(id: string): Promise<boolean> {
    return this.#reach(async () => {
      const resumed = (await this.#queries.resubmit(storedId(id))) || (await this.#queries.hasten(storedId(id)));
      if (resumed) this.#happened(storedId(id));
      return resumed;
    });
  }

  cancel(id: string): Promise<boolean> {
    return this.#reach(async () => {
      const answer = await this.#queries.cancel(storedId(id));
      if (answer === "cancelled") {
        this.#failureLog.passed(id);
        this.#happened(storedId(id));
      }
      return answer !== undefined;
    });
  }

  decide(id: string, subject: string, value: Json): Promise<Decision> {
    return this.#reach(async () => {
      assertSubject(subject);
      assertStorable(value, "value");
      const workflowRunId = storedId(id);
      const decision = { value, time: new Date().toISOString() };
      for (;;) {
        if (await this.#queries.decide(workflowRunId, subject, decision)) {
          this.#happened(workflowRunId);
          return toDecision(decision);
        }
        const standing = standingDecision(await this.#backend.getWorkflowRun({ workflowRunId }), subject, value);
        if (standing) return standing;
      }
    });
  }

  standingDecision(id: string, subject: string, value: Json): Promise<Decision | undefined> {
    return this.#reach(async () => {
      assertSubject(subject);
      const run = await this.#backend.getWorkflowRun({ workflowRunId: storedId(id) });
      return standingDecision(run, subject, value);
    });
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
    this.#persistence.closeSoon();
    let answers = await settlesWithin(this.#loop.stopClaiming(), SILENCE_MS);
    // Others find out by themselves.
    if (answers && this.#loop.started) answers = await settlesWithin(this.#database.leave(), SILENCE_MS);
    if (answers) await this.#drain();
    this.#waiters.announceAll();
    await this.#database.close();
  }

  /** Waits for the steps in hand, however long they take; but not for a database that says nothing: there the leases do the rest. */
  async #drain(): Promise<void> {
    const drained = this.#loop.drain(this.#executions.atWork);
    while (!(await settlesWithin(drained, SILENCE_MS))) {
      if (!(await settlesWithin(this.#queries.runIdByKey("", ""), SILENCE_MS))) return;
    }
  }

  /** Something has happened to a run that others should look at: here, and in every process on the same database. */
  #happened(runId: string): void {
    this.#heard(runId);
    this.#database.announce(runId);
  }

  #heard(runId: string | undefined): void {
    if (runId === undefined) this.#waiters.announceAll();
    else this.#waiters.announce(runId);
    this.#loop.wakeNow();
  }

  #emit(event: StepEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // Whoever looks on must not change what happens.
        this.#logger.error({ cause: describeCause(error) }, "a listener to step events failed");
      }
    }
  }

  async #toRun(run: WorkflowRun): Promise<Run> {
    return toRun(run, await this.#queries.steps(run.id));
  }

  async #get(runId: string): Promise<Run | undefined> {
    const run = await this.#backend.getWorkflowRun({ workflowRunId: runId });
    return run ? this.#toRun(run) : undefined;
  }

  async #findOrCreate(
    workflowName: string,
    idempotencyKey: string,
    envelope: Envelope,
    availableAt: Date | undefined,
  ): Promise<WorkflowRun> {
    const known = await this.#queries.runIdByKey(workflowName, idempotencyKey);
    const run = known === undefined ? undefined : await this.#backend.getWorkflowRun({ workflowRunId: known });
    if (run) return run;
    return this.#backend.createWorkflowRun({
      workflowName,
      idempotencyKey,
      input: { ...envelope },
      version: null,
      config: {},
      context: null,
      parentStepAttemptNamespaceId: null,
      parentStepAttemptId: null,
      availableAt: availableAt ?? null,
      deadlineAt: null,
    });
  }

  /** Work with the database for a caller: nothing once the engine closes, and its faults as errors that may pass. */
  async #reach<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closing) throw INTERRUPTED;
    try {
      return await work();
    } catch (cause) {
      if (isAbiError(cause)) throw cause;
      if (isUnwritable(cause)) throw refusedInput(cause);
      if (this.#closing) throw INTERRUPTED;
      throw unanswered(cause);
    }
  }
}
