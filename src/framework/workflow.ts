import { setImmediate } from "node:timers/promises";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import type { Decision, Run, RunContext, RunFilter, StartedRun } from "../engine/engine.ts";
import { ConflictError, ValidationError } from "../errors.ts";
import { addWorkflowRoutes } from "../interfaces/http/as-api.ts";
import type { WorkflowRouter } from "../interfaces/http/workflow-router.ts";
import { workflowTools } from "../interfaces/langchain/operation-tool.ts";
import type { ToolOptions } from "../interfaces/model-calls/fixed-fields.ts";
import { withoutAbsent, type Json } from "../json.ts";
import { silentLogger, type Logger } from "../log.ts";
import { executeInTrace, recordRunSpan, traceOfRun } from "../telemetry/run-tracing.ts";
import { inSpan, linkActiveSpan, TRACE_FIELD, withActiveTrace, withoutTrace } from "../telemetry/tracing.ts";
import { parseFilter, parseId, parseStart } from "./arguments.ts";
import { DEFAULT_MAX_PARALLEL_REQUESTS, type WorkflowConfiguration } from "./configuration.ts";
import { directCall, logUnexpected } from "./direct-operations.ts";
import type { MailReceipt } from "./mail-receipt.ts";
import type { CallOptions, DurableOperation, Operation, OperationCall } from "./operation.ts";
import { withProgress } from "./progress.ts";
import {
  failingOf,
  failure,
  historyOf,
  resultOf,
  partialOutput,
  statusOf,
  type RunResult,
  type StepHistory,
  type WorkflowStatus,
} from "./result.ts";
import {
  identityFields,
  identityOf,
  toSubmission,
  withDerivedKey,
  withNormalizedIdentity,
  type Submission,
} from "./submission.ts";

/** Options of `startWorkflow`. */
export interface StartOptions {
  /**
   * The run starts at this time or later, even after a restart; until then its status is `started`.
   * A time in the past means now. `startAt` is not part of the content: if you submit the same
   * content again, you get the waiting run, and its time doesn't change.
   */
  startAt?: Date;
}

/** How a submission came in. */
export interface SubmissionOrigin {
  /**
   * Where it came from: a method call in code (including events and batches), an HTTP route, or a
   * tool that a model called.
   */
  via: "code" | "http" | "tool";
  /**
   * For a tool: the input fields that the program has set, so no model chose them. Otherwise empty.
   */
  fixed: readonly string[];
}

export const FROM_CODE: SubmissionOrigin = { via: "code", fixed: [] };

/** Options of `runBatch`. */
export interface BatchOptions {
  /**
   * Aborts the batch: no more runs are started, and the iteration throws the signal's reason. Runs
   * that have started continue.
   */
  signal?: AbortSignal;
  /** Called after each item, in the order of completion. `completed` includes the failed ones. */
  onProgress?: (progress: { completed: number; failed: number }) => void;
}

/** An accepted submission. Its run is durable. */
export interface Accepted {
  /** Id of the run. */
  id: string;
  outcome: StartedRun["outcome"];
  /** The run's key, and the fields listed in `echo`. */
  identity: Record<string, Json>;
}

/** The answer of `GET /workflows/<name>/{key}` about a run. */
export interface RunView {
  status: string;
  [field: string]: Json;
}

interface SubmissionOptions {
  extras?: Record<string, Json>;
  origin?: SubmissionOrigin;
}

/**
 * Base class of business workflows. A subclass defines a name and its operations, exactly one of
 * them durable. It inherits agent tools, HTTP routes, durable runs, batches and status.
 *
 * @example
 * const workflow = new CustomerFeedbackWorkflow(configuration);
 * model.bindTools(workflow.as_tools());
 * workflow.as_api(router);
 * await workflow.run({ feedback_id: "F-1", … });
 */
export abstract class Workflow<Configuration extends WorkflowConfiguration = WorkflowConfiguration> {
  /** In kebab-case. It is stored with each run, and part of routes, traces and metrics. */
  abstract readonly name: string;
  abstract readonly operations: readonly Operation[];
  /** The types of external events that `receiveEvent` accepts. */
  readonly eventTypes: readonly string[] = [];
  /** An example event, for documentation. */
  readonly eventExample?: { readonly type: string; readonly data: Readonly<Record<string, Json>> };
  /**
   * Whether its runs only accompany other runs, as notifications do. Once completed, they are
   * listed only if the request names their workflow or key.
   */
  readonly isAuxiliary: boolean = false;
  /** Whether `receiveMail` accepts emails. */
  readonly receivesMail: boolean = false;
  /**
   * Parameters that are indexed, so listing runs by them is fast however many runs there are. On
   * Restate, nothing is indexed.
   */
  protected readonly indexedParameters: readonly string[] = [];
  protected readonly configuration: Configuration;
  protected readonly logger: Logger;
  readonly #parallel: number;
  #process: DurableOperation | undefined;

  constructor(configuration: Configuration) {
    this.#parallel = configuration.maxParallelRequests ?? DEFAULT_MAX_PARALLEL_REQUESTS;
    if (!Number.isInteger(this.#parallel) || this.#parallel < 1) {
      throw new TypeError(`maxParallelRequests must be a whole number of at least 1, not ${this.#parallel}`);
    }
    this.configuration = configuration;
    this.logger = configuration.logger ?? silentLogger;
  }

  /**
   * Registers the workflow with the engine. Every method that needs a registered workflow does this
   * itself. Call it yourself, and then the engine's `startWorker`, if unfinished runs should
   * continue before the first new one.
   * @throws TypeError if there is not exactly one durable operation, or if it has a parameter
   *   `_trace`; also what `WorkflowEngine.register` throws
   */
  register(): this {
    this.#durable();
    return this;
  }

  /**
   * Starts a run and resolves with its result when it has ended, or with what it knows so far if it
   * waits for a person (`status: "waiting_for_approval"`). If a step keeps failing and is retried
   * for longer than callers wait, for example because the mail server is unavailable, `run`
   * resolves with the step's error and `status: "processing"`, and the run continues in the
   * background. If there is an earlier run with the same key and content, its result is returned;
   * if that run had failed or was cancelled, it is resumed first. Failures are results (`success:
   * false`), not exceptions.
   * @throws only the reason of `signal` when it aborts, and what `register` throws
   */
  run(parameters: unknown, options: CallOptions = {}): Promise<RunResult> {
    return this.#run(parameters, options);
  }

  /**
   * Like `run`, with values that only the workflow itself may add to the input, such as those from
   * an event.
   */
  protected runWith(extras: Record<string, Json>, parameters: unknown, options: CallOptions = {}): Promise<RunResult> {
    return this.#run(parameters, { ...options, extras });
  }

  /**
   * Values to store with a run besides its parameters, whichever interface it was submitted
   * through: for example, settings of the accepting process that must also apply in the executing
   * one. They don't count when two submissions with the same key are compared, and an existing run
   * keeps its own values. Default: nothing.
   * @param _key key of the run, such as the feedback's id
   */
  protected submissionExtras(_key: string, _origin: SubmissionOrigin): Record<string, Json> {
    return {};
  }

  /**
   * Starts a run and resolves with its workflow id as soon as the run is durable.
   * @throws ValidationError, ConflictError, IoError
   */
  async startWorkflow(parameters: unknown, options: StartOptions = {}): Promise<string> {
    const { startAt } = parseStart(options);
    return (await this.#start(this.#submission(parameters), startAt ? { startAt } : {})).id;
  }

  async getWorkflowStatus(workflowId: string): Promise<WorkflowStatus> {
    const run = await this.#findOwnRun(workflowId);
    return run ? this.statusOf(run) : { workflow_id: workflowId, status: "not_found" };
  }

  /** The status of the run with this key, such as a feedback id; undefined if there is none. */
  async findWorkflow(key: string): Promise<WorkflowStatus | undefined> {
    this.#durable();
    const run = await this.configuration.engine.find(this.name, parseId("key", key));
    return run && this.statusOf(run);
  }

  /**
   * Waits for a run, and resolves with its result as `run` does.
   * @throws ValidationError (`unknown_run`), IoError, the reason of `signal`
   */
  async getWorkflowResult(workflowId: string, { signal }: CallOptions = {}): Promise<RunResult> {
    const { id } = await this.ownRun(workflowId);
    const run = await this.configuration.engine.wait(id, signal ? { signal } : {});
    return this.#result(run, this.#identity(run));
  }

  /**
   * Every attempt of every listed step of a run, in the order in which they started. Empty if the
   * run doesn't belong to this workflow.
   */
  async getWorkflowHistory(workflowId: string): Promise<StepHistory[]> {
    const run = await this.#findOwnRun(workflowId);
    return run ? (await this.configuration.engine.history(run.id)).map(historyOf) : [];
  }

  /**
   * Resumes a failed or cancelled run at the step where it stopped. If a step is being
   * retried within its `retryBudget` (`failing.until`), tries it now. Returns false if there is
   * nothing to retry, or the run doesn't belong to this workflow.
   */
  async retryWorkflow(workflowId: string): Promise<boolean> {
    const run = await this.#findOwnRun(workflowId);
    return run !== undefined && (await this.configuration.engine.retry(run.id));
  }

  /**
   * Lists runs, newest first unless the filter has `order: "oldest"`.
   * @throws ValidationError, IoError
   * @example await workflow.listWorkflows({ status: "failed", input: { customer_id: "C-1001" } })
   */
  async listWorkflows(filter: Omit<RunFilter, "workflow"> = {}): Promise<WorkflowStatus[]> {
    const process = this.#durable();
    const parsed = withNormalizedIdentity(process, parseFilter(filter));
    const runs = await this.configuration.engine.list({ ...parsed, workflow: this.name });
    return runs.map((run) => this.statusOf(run));
  }

  /**
   * Stops a run before its next step that is not eager. Returns false if it has already ended or
   * doesn't belong to this workflow.
   */
  async cancelWorkflow(workflowId: string): Promise<boolean> {
    const run = await this.#findOwnRun(workflowId);
    return run !== undefined && (await this.configuration.engine.cancel(run.id));
  }

  /**
   * Starts a run for every item, at most `maxParallelRequests` at once, and yields the results in
   * the order of the items. It reads items as it goes, so memory use stays constant however many
   * items there are. An invalid item yields a failed result.
   *
   * @example for await (const result of workflow.runBatch(items)) …
   * @example const results = await Array.fromAsync(workflow.runBatch(items));
   */
  async *runBatch(
    items: Iterable<unknown> | AsyncIterable<unknown>,
    { signal, onProgress }: BatchOptions = {},
  ): AsyncGenerator<RunResult, void, undefined> {
    let completed = 0;
    let failed = 0;
    const runItem = async (item: unknown): Promise<RunResult> => {
      signal?.throwIfAborted();
      const result = await this.run(item, signal ? { signal } : {});
      completed += 1;
      // A run that continues in the background has not failed.
      if (!result.success && result.status !== "processing") failed += 1;
      onProgress?.({ completed, failed });
      // If nothing waits for I/O, promises alone would starve timers and signals.
      await setImmediate();
      return result;
    };
    const { pMapIterable } = await import("p-map");
    yield* pMapIterable(items, runItem, { concurrency: this.#parallel });
  }

  /**
   * Returns the operations as LangChain tools, to bind to a chat model or pass to an agent. Your
   * program can set fields that a model should not choose, such as the customer. They are then not
   * in the tools' schemas, and an argument with a different value is refused.
   * @throws ValidationError (`invalid_configuration`) if no tool has the field, or its schema
   *   refuses the value
   * @example workflow.as_tools({ fixed: { customer_id: "C-1001" } })
   * @example
   * const tools = workflow.as_tools({ fromContext: ["customer_id"] });
   * // … and then: agent.invoke(…, { context: { customer_id: "C-1001" } })
   */
  as_tools(options: ToolOptions = {}): DynamicStructuredTool[] {
    return workflowTools(this.register(), options);
  }

  /**
   * Adds `POST /workflows/<name>` (202; the run continues in the background) and `GET
   * /workflows/<name>/{key}` to a router, for example a Hono app. The body must be
   * `application/json` (otherwise 415). Other methods on these paths get 405, so add middleware and
   * your own handlers before this call.
   */
  as_api(router: WorkflowRouter): void {
    addWorkflowRoutes(router, this);
  }

  // For interfaces.

  /** The durable operation of this workflow. */
  get process(): DurableOperation {
    return this.#durable();
  }

  /**
   * Starts a run with parameters that came through an interface, and resolves as soon as the run is
   * durable.
   * @param extras values that only the workflow itself may add to the input
   * @throws ValidationError, ConflictError, IoError
   */
  async submit(parameters: unknown, origin: SubmissionOrigin, extras: Record<string, Json> = {}): Promise<Accepted> {
    const submission = this.#submission(parameters, { origin, extras });
    const { id, outcome } = await this.#start(submission, { origin });
    return { id, outcome, identity: submission.identity };
  }

  /** What is known about the run with this key, in the form of `GET /workflows/<name>/{key}`. */
  async view(key: string): Promise<RunView> {
    this.#durable();
    const run = await this.configuration.engine.find(this.name, key);
    const view = await this.describe(key, run);
    return run ? { ...view, workflow_id: run.id } : view;
  }

  /**
   * Accepts an external event and resolves when it is durable. A workflow with `eventTypes`
   * overrides this.
   * @throws ValidationError (also `unknown_event_type`), ConflictError, IoError
   */
  receiveEvent(type: string, _data: unknown): Promise<{ status: string; [field: string]: Json }> {
    return Promise.reject(new ValidationError(`Unknown event type: ${type}`, { code: "unknown_event_type" }));
  }

  /**
   * Accepts an incoming email and resolves when its outcome is durable. A workflow that
   * `receivesMail` overrides this.
   * @param _raw the whole email, RFC 5322
   * @throws ValidationError (`not_a_mail`, `no_mail_expected`)
   * @throws IoError; the same email can then be passed again, and nothing is done twice
   */
  receiveMail(_raw: Uint8Array): Promise<MailReceipt> {
    return Promise.reject(
      new ValidationError(`The workflow ${this.name} does not receive mail.`, { code: "no_mail_expected" }),
    );
  }

  /**
   * What a person reads about a waiting run in the list of approvals, such as the beginning of a
   * text; default: nothing.
   */
  excerptOf(_run: Run): string | undefined {
    return undefined;
  }

  /** The status of a run of this workflow. */
  statusOf(run: Run): WorkflowStatus & Pick<Run, "status"> {
    return statusOf(run, this.#identity(run));
  }

  /** An operation of this workflow as interfaces call it; see `OperationCall`. */
  operationCall(operation: Operation, origin: SubmissionOrigin): OperationCall {
    if (operation.kind === "direct") return directCall(operation);
    const { engine } = this.configuration;
    return (args, options) => {
      const parameters = withDerivedKey(operation, args);
      return withProgress(engine, (follow) => this.#run(parameters, { ...options, origin, follow }));
    };
  }

  /**
   * Starts a run as a tool does: like `submit`, but if the key is missing, it may be derived from
   * other fields.
   * @throws as `submit`
   */
  submitCall(args: unknown, origin: SubmissionOrigin): Promise<Accepted> {
    return this.submit(withDerivedKey(this.#durable(), args), origin);
  }

  /**
   * Logs the cause of an unexpected error, because callers don't see it. Other errors are not
   * logged.
   */
  logUnexpected(error: unknown): void {
    logUnexpected(this.logger, error, { workflow: this.name });
  }

  /**
   * Builds the answer of `GET /workflows/<name>/{key}` about a run. Override it to answer from what
   * the run has stored.
   */
  protected async describe(_key: string, run: Run | undefined): Promise<RunView> {
    if (!run) return { status: "not_found" };
    if (run.status === "completed") return { ...(run.output as Record<string, Json>), status: "processed" };
    if (run.status === "failed" || run.status === "cancelled") return { status: run.status, ...run.error };
    if (run.status === "waiting_for_approval") return { ...partialOutput(run), status: run.status };
    return { status: "processing", ...(run.failing ? { failing: { ...failingOf(run.failing) } } : {}) };
  }

  /** What a step is about, for the message that it "will be retried automatically". */
  protected stepSubject(step: string): string {
    return `The step ${step}`;
  }

  /**
   * A run of this workflow.
   * @throws ValidationError (`unknown_run`), IoError
   */
  protected async ownRun(workflowId: string): Promise<Run> {
    const run = await this.#findOwnRun(workflowId);
    if (run) return run;
    throw new ValidationError("There is no run with this workflow id.", { code: "unknown_run" });
  }

  /**
   * Passes a person's decision on `subject` to a run of this workflow (`RunContext.decision`). It
   * doesn't check who may decide. Offer it only through operations with the audience `person`,
   * which never become tools.
   * @throws as `WorkflowEngine.decide`
   */
  protected async decide(workflowId: string, subject: string, value: Json): Promise<Decision> {
    return inSpan(`decide ${this.name}`, { attributes: { "abi.workflow.name": this.name } }, async (span) => {
      const { id, input } = await this.ownRun(workflowId);
      span?.setAttribute("abi.workflow.id", id);
      linkActiveSpan(traceOfRun(id, input));
      return this.configuration.engine.decide(id, subject, value);
    });
  }

  #durable(): DurableOperation {
    if (this.#process) return this.#process;
    const [process, ...others] = this.operations.filter((operation) => operation.kind === "durable");
    if (!process || others.length > 0)
      throw new TypeError(`workflow "${this.name}" needs exactly one durable operation`);
    // Such a parameter would not reach the handler, because a run's trace is stored under that name.
    if (TRACE_FIELD in process.input.shape)
      throw new TypeError(`workflow "${this.name}" can't have a parameter with the name ${TRACE_FIELD}`);
    const { engine } = this.configuration;
    const handler = (input: Json, context: RunContext): Promise<Json> =>
      executeInTrace({ workflow: this.name, input }, context, (traced) =>
        process.run(withoutTrace(input) as never, traced),
      ) as Promise<Json>;
    engine.register(this.name, handler, { concurrency: this.#parallel, indexedFields: this.indexedParameters });
    engine.onRest((rested) => {
      if (rested.workflow === this.name) recordRunSpan(rested);
    });
    this.#process = process;
    return process;
  }

  #submission(parameters: unknown, { extras, origin = FROM_CODE }: SubmissionOptions = {}): Submission {
    return toSubmission(this.#durable(), parameters, (key) => ({ ...extras, ...this.submissionExtras(key, origin) }));
  }

  #start(
    { key, fingerprint, input }: Submission,
    { startAt, origin = FROM_CODE }: StartOptions & Pick<SubmissionOptions, "origin">,
  ): Promise<StartedRun> {
    const { engine } = this.configuration;
    const attributes = { "abi.workflow.name": this.name };
    return inSpan(`accept ${this.name}`, { kind: "producer", attributes }, async (span) => {
      const run = { key, fingerprint, input: withActiveTrace(input), ...withoutAbsent({ availableAt: startAt }) };
      const started = await engine.start(this.name, run).catch((error: unknown) => {
        throw this.#conflictFor(origin, error);
      });
      span?.setAttributes({ "abi.workflow.id": started.id, "abi.run.outcome": started.outcome });
      if (span && started.outcome !== "created") await this.#linkWithRun(started.id);
      return started;
    });
  }

  /**
   * The error of a failed start, as its caller may see it. If the program has set an identity
   * field, such as the customer, a conflict must not tell the model what others have submitted, or
   * an id that it did not choose.
   */
  #conflictFor({ fixed }: SubmissionOrigin, error: unknown): unknown {
    const { key, keyFrom } = this.process;
    if (!(error instanceof ConflictError) || !identityFields(this.process).some((field) => fixed.includes(field))) {
      return error;
    }
    const message = fixed.includes(key)
      ? "This was submitted already, with different content. Nothing was done."
      : `This ${key} can't be used. ${keyFrom ? "Leave it out" : "Use another one"}.`;
    return new ConflictError(message, { cause: error });
  }

  /** Links the active span with the trace of the run's first submission, which the run keeps. */
  async #linkWithRun(id: string): Promise<void> {
    const run = await this.configuration.engine.get(id).catch(() => undefined);
    if (run) linkActiveSpan(traceOfRun(id, run.input));
  }

  async #run(
    parameters: unknown,
    { signal, follow, ...options }: CallOptions & SubmissionOptions & { follow?: (runId: string) => void },
  ): Promise<RunResult> {
    signal?.throwIfAborted();
    const process = this.#durable();
    let identity: Record<string, Json> = {};
    try {
      identity = identityOf(process, parameters);
      const submission = this.#submission(parameters, options);
      identity = submission.identity;
      const { id, outcome } = await this.#start(submission, options);
      follow?.(id);
      const result = this.#result(await this.configuration.engine.wait(id, signal ? { signal } : {}), identity);
      return outcome === "existing" ? { ...result, duplicate: true } : result;
    } catch (error) {
      signal?.throwIfAborted();
      this.logUnexpected(error);
      return failure(identity, error);
    }
  }

  async #findOwnRun(workflowId: string): Promise<Run | undefined> {
    this.#durable();
    const run = await this.configuration.engine.get(parseId("workflowId", workflowId));
    return run?.workflow === this.name ? run : undefined;
  }

  #result(run: Run, identity: Record<string, Json>): RunResult {
    return resultOf(run, identity, (step) => this.stepSubject(step));
  }

  #identity(run: Run): Record<string, Json> {
    return identityOf(this.#durable(), run.input);
  }
}
