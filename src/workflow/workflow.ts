import { setImmediate } from "node:timers/promises";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import type { Decision, Run, RunContext, RunFilter, StartedRun } from "../engine/engine.ts";
import { ConflictError, ValidationError } from "../errors.ts";
import { addWorkflowRoutes } from "../faces/http/as-api.ts";
import type { WorkflowRouter } from "../faces/http/workflow-router.ts";
import { workflowTools } from "../faces/langchain/operation-tool.ts";
import type { ToolOptions } from "../faces/model-calls/fixed-fields.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { withoutAbsent, type Json } from "../json.ts";
import { silentLogger, type Logger } from "../log.ts";
import { executeInTrace, recordRunSpan, traceOfRun } from "../telemetry/run-tracing.ts";
import { inSpan, linkActiveSpan, withActiveTrace, withoutTrace } from "../telemetry/tracing.ts";
import { parseFilter, parseStart, parseText } from "./arguments.ts";
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
   * The run begins no sooner than this, also after a restart; until then its status is `started`. One in the past means now.
   * It is no part of the content: the same submission again finds the run that waits, and does not change its time.
   */
  startAt?: Date;
}

/** How a submission came in. */
export interface SubmissionOrigin {
  /** A method called in code (events and batches too), an HTTP route, or a tool that a model called. */
  face: "code" | "http" | "tool";
  /** Of a tool: the input fields that the program set, and no model chose. Otherwise empty. */
  fixed: readonly string[];
}

export const FROM_CODE: SubmissionOrigin = { face: "code", fixed: [] };

/** Options of `runBatch`. */
export interface BatchOptions {
  /** Ends the batch: nothing more is begun, and the iteration throws the signal's reason. Runs that were begun go on. */
  signal?: AbortSignal;
  /** After each item, in the order of completion. */
  onProgress?: (progress: { completed: number; failed: number }) => void;
}

/** A submission that was accepted: it is durable. */
export interface Accepted {
  /** Of the run. */
  id: string;
  outcome: StartedRun["outcome"];
  /** The fields that say whose the run is: its key and what its results repeat. */
  identity: Record<string, Json>;
}

/** What `GET /workflows/<name>/{key}` says about a run. */
export interface RunView {
  status: string;
  [field: string]: Json;
}

interface SubmissionOptions {
  extras?: Record<string, Json>;
  origin?: SubmissionOrigin;
}

/**
 * A business process with everything that goes with it. A subclass gives a name and its operations, exactly one of them
 * durable (the process); it gets agent tools, HTTP routes, durable runs, batches and status from here.
 *
 * @example
 * const workflow = new CustomerFeedbackWorkflow(configuration);
 * model.bindTools(workflow.as_tools());
 * workflow.as_api(router);
 * await workflow.run({ feedback_id: "F-1", … });
 */
export abstract class Workflow<Configuration extends WorkflowConfiguration = WorkflowConfiguration> {
  /** kebab-case; in routes, run names and metrics. */
  abstract readonly name: string;
  abstract readonly operations: readonly Operation[];
  /** Types of the events from outside that `receiveEvent` takes. */
  readonly eventTypes: readonly string[] = [];
  /** One of them as it may look, for documentation. */
  readonly eventExample?: { readonly type: string; readonly data: Readonly<Record<string, Json>> };
  /**
   * Whether its runs only accompany other runs, such as notifications. Those that have completed are listed only where somebody asks for this
   * workflow.
   */
  readonly isAuxiliary: boolean = false;
  /** Whether `receiveMail` takes mails. */
  readonly receivesMail: boolean = false;
  /** Parameters of the process by which its runs are listed at once, however many there are. */
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
   * Makes the process known to the engine. Called by everything that needs it; call it yourself where unfinished runs
   * should go on before the first new one.
   * @throws TypeError where the operations are not as described above
   */
  register(): this {
    this.#durable();
    return this;
  }

  /**
   * Runs the process and resolves with its result when it has ended, or with what it knows so far when it waits for a person
   * (`status: "waiting_for_approval"`). Where a step keeps failing and is tried for longer than callers wait, such as a mail while the
   * mail server is away, it resolves with that error and `status: "processing"`: the run goes on by itself. An earlier run with the same key and content answers for it. Failures are results (`success: false`), not exceptions.
   * @throws only the reason of `signal`, when it aborts
   */
  run(parameters: unknown, options: CallOptions = {}): Promise<RunResult> {
    return this.#run(parameters, options);
  }

  /** `run` with what only the workflow itself may add to the input: from an event, not from a caller's parameters. */
  protected runWith(extras: Record<string, Json>, parameters: unknown, options: CallOptions = {}): Promise<RunResult> {
    return this.#run(parameters, { ...options, extras });
  }

  /**
   * What every submission, by whichever face, is to keep with its run beside the parameters: what holds in the process that accepts
   * it and must hold in the one that executes it. It does not count when two submissions with one key are compared, and a run that is
   * there already keeps its own. Default: nothing.
   * @param _key of the run, such as the feedback's id
   */
  protected submissionExtras(_key: string, _origin: SubmissionOrigin): Record<string, Json> {
    return {};
  }

  /**
   * Starts the process and resolves with its workflow id as soon as it is durable.
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

  /** The status of the run with this key, such as a feedback id; undefined where there is none. */
  async findWorkflow(key: string): Promise<WorkflowStatus | undefined> {
    this.#durable();
    const run = await this.configuration.engine.find(this.name, tidyIdentifier(parseText("key", key)));
    return run && this.statusOf(run);
  }

  /**
   * The result of a run, as `run` gives it.
   * @throws ValidationError (`unknown_run`), IoError, the reason of `signal`
   */
  async getWorkflowResult(workflowId: string, { signal }: CallOptions = {}): Promise<RunResult> {
    const { id } = await this.ownRun(workflowId);
    const run = await this.configuration.engine.wait(id, signal ? { signal } : {});
    return this.#result(run, this.#identity(run));
  }

  /** Every attempt of every step of a run, in the order in which they began. Empty for a run that is not one of ours. */
  async getWorkflowHistory(workflowId: string): Promise<StepHistory[]> {
    const run = await this.#findOwnRun(workflowId);
    return run ? (await this.configuration.engine.history(run.id)).map(historyOf) : [];
  }

  /** Lets a run that failed or was cancelled go on from the step where it stopped. False where it is neither, or not ours. */
  async retryWorkflow(workflowId: string): Promise<boolean> {
    const run = await this.#findOwnRun(workflowId);
    return run !== undefined && (await this.configuration.engine.retry(run.id));
  }

  /**
   * Newest first.
   * @throws ValidationError, IoError
   * @example await workflow.listWorkflows({ status: "failed", input: { customer_id: "C-1001" } })
   */
  async listWorkflows(filter: Omit<RunFilter, "workflow"> = {}): Promise<WorkflowStatus[]> {
    const process = this.#durable();
    const parsed = withNormalizedIdentity(process, parseFilter(filter));
    const runs = await this.configuration.engine.list({ ...parsed, workflow: this.name });
    return runs.map((run) => this.statusOf(run));
  }

  /** Stops a run before its next step. False where it has ended already or is not one of ours. */
  async cancelWorkflow(workflowId: string): Promise<boolean> {
    const run = await this.#findOwnRun(workflowId);
    return run !== undefined && (await this.configuration.engine.cancel(run.id));
  }

  /**
   * Runs the process for every item, at most `maxParallelRequests` at once, and yields the results in the order of the items.
   * Takes items as it goes, so that memory stays flat however many there are. A bad item is a failed result.
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
      // What goes on by itself has not failed.
      if (!result.success && result.status !== "processing") failed += 1;
      onProgress?.({ completed, failed });
      // Where nothing waits for anything outside, promises alone would keep timers and signals from their turn.
      await setImmediate();
      return result;
    };
    const { pMapIterable } = await import("p-map");
    yield* pMapIterable(items, runItem, { concurrency: this.#parallel });
  }

  /**
   * The operations as LangChain tools, to bind to a chat model or hand to an agent. Fields that the program knows better than a
   * model, such as whose conversation it is, can be set for it: they are then not in the tools' schemas, and an argument that
   * says otherwise is refused.
   * @throws ValidationError (`invalid_configuration`) for a field that no tool has, or a value that it can't have
   * @example workflow.as_tools({ fixed: { customer_id: "C-1001" } })
   * @example workflow.as_tools({ fromContext: ["customer_id"] }); // agent.invoke(…, { context: { customer_id: "C-1001" } })
   */
  as_tools(options: ToolOptions = {}): DynamicStructuredTool[] {
    return workflowTools(this.register(), options);
  }

  /**
   * Adds `POST /workflows/<name>` (202, then it runs by itself) and `GET /workflows/<name>/{key}` to a router,
   * for example a Hono app. The body is `application/json` (else 415); other methods on these paths get 405, so add handlers of your
   * own for them, and middleware, before.
   */
  as_api(router: WorkflowRouter): void {
    addWorkflowRoutes(router, this);
  }

  // What faces are built on.

  /** The operation that is the process of this workflow. */
  get process(): DurableOperation {
    return this.#durable();
  }

  /**
   * Starts the process as a face that has taken its parameters from outside, and resolves as soon as the run is durable.
   * @param extras what only the workflow itself may add to the input, not a caller's parameters
   * @throws ValidationError, ConflictError, IoError
   */
  async submit(parameters: unknown, origin: SubmissionOrigin, extras: Record<string, Json> = {}): Promise<Accepted> {
    const submission = this.#submission(parameters, { origin, extras });
    const { id, outcome } = await this.#start(submission, { origin });
    return { id, outcome, identity: submission.identity };
  }

  /** What is known about the run with this key, in the words of `GET /workflows/<name>/{key}`. */
  async view(key: string): Promise<RunView> {
    this.#durable();
    const run = await this.configuration.engine.find(this.name, key);
    const view = await this.describe(key, run);
    return run ? { ...view, workflow_id: run.id } : view;
  }

  /**
   * Takes an event from outside and resolves when it is durable. A workflow that names `eventTypes` overrides it.
   * @throws ValidationError (`unknown_event_type` among them), ConflictError, IoError
   */
  receiveEvent(type: string, _data: unknown): Promise<{ status: string; [field: string]: Json }> {
    return Promise.reject(new ValidationError(`Unknown event type: ${type}`, { code: "unknown_event_type" }));
  }

  /**
   * Takes a mail from outside and resolves when what becomes of it is durable. A workflow that `receivesMail` overrides it.
   * @param _raw the whole mail, RFC 5322
   * @throws ValidationError (`not_a_mail`, `no_mail_expected`), IoError: then nothing has become of it yet, and it can be given again
   */
  receiveMail(_raw: Uint8Array): Promise<MailReceipt> {
    return Promise.reject(
      new ValidationError(`The workflow ${this.name} takes no mail.`, { code: "no_mail_expected" }),
    );
  }

  /** A run of this workflow as callers see it. */
  statusOf(run: Run): WorkflowStatus & Pick<Run, "status"> {
    return statusOf(run, this.#identity(run));
  }

  /** An operation as a face calls it: with progress, and errors thrown. */
  operationCall(operation: Operation, origin: SubmissionOrigin): OperationCall {
    if (operation.kind === "direct") return directCall(operation);
    const { engine } = this.configuration;
    return (args, options) => {
      const parameters = withDerivedKey(operation, args);
      return withProgress(engine, (follow) => this.#run(parameters, { ...options, origin, follow }));
    };
  }

  /**
   * Starts the process as a tool does, where the key may be derived from the rest, and resolves as soon as the run is durable.
   * @throws as `submit`
   */
  submitCall(args: unknown, origin: SubmissionOrigin): Promise<Accepted> {
    return this.submit(withDerivedKey(this.#durable(), args), origin);
  }

  /** Logs the cause of an error that callers are told nothing about. */
  logUnexpected(error: unknown): void {
    logUnexpected(this.logger, error, { workflow: this.name });
  }

  /** What `GET /workflows/<name>/{key}` tells of a run. Override it to answer from what the process has stored. */
  protected async describe(_key: string, run: Run | undefined): Promise<RunView> {
    if (!run) return { status: "not_found" };
    if (run.status === "completed") return { ...(run.output as Record<string, Json>), status: "processed" };
    if (run.status === "failed" || run.status === "cancelled") return { status: run.status, ...run.error };
    if (run.status === "waiting_for_approval") return { ...partialOutput(run), status: run.status };
    return { status: "processing", ...(run.failing ? { failing: { ...failingOf(run.failing) } } : {}) };
  }

  /** What a step stands for where callers read that it "will be tried again by itself". */
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
   * Gives a run of this workflow what a person has decided on `subject` (`RunContext.decision`). A workflow's own methods call
   * it, with what they know of who may decide; no tool does.
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

  /** Where the program says whose runs a model starts, the model does not hear what others have submitted, nor an id that it did not choose. */
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

  /** The run keeps the trace that it was submitted in first. */
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
    const run = await this.configuration.engine.get(tidyIdentifier(parseText("workflowId", workflowId)));
    return run?.workflow === this.name ? run : undefined;
  }

  #result(run: Run, identity: Record<string, Json>): RunResult {
    return resultOf(run, identity, (step) => this.stepSubject(step));
  }

  #identity(run: Run): Record<string, Json> {
    return identityOf(this.#durable(), run.input);
  }
}
