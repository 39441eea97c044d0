/**
 * Everything that a process offers: the operations of its workflows and pipelines, those that work
 * on any run, and others such as questions to the graph. An interface (HTTP, MCP, the command line)
 * translates these operations to its protocol, so it doesn't have to know any particular workflow.
 */
import type { Run, WorkflowEngine } from "../engine/engine.ts";
import { ValidationError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { silentLogger } from "../log.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { logUnexpected } from "./direct-operations.ts";
import type { MailReceipt } from "./mail-receipt.ts";
import type { DirectOperation, Operation, StreamOperation } from "./operation.ts";
import type { Pipeline } from "./pipeline.ts";
import { RunResultSchema } from "./run-schemas.ts";
import { runOperations } from "./run-operations.ts";
import { parse } from "./validation.ts";
import type { Workflow } from "./workflow.ts";

/** The parts of a service. */
export interface ServiceParts {
  engine: WorkflowEngine;
  workflows: readonly Workflow[];
  /** Pipelines, which move data into the graph. Each needs a unique name. */
  pipelines?: readonly ServicePipeline[];
  /**
   * Other operations besides those of the workflows and pipelines, such as questions to the graph.
   */
  operations?: readonly DirectOperation[];
  logger?: Logger;
}

/** The part of a pipeline that a service needs. */
export type ServicePipeline = Pick<Pipeline<unknown, unknown, unknown>, "name" | "operations">;

/**
 * An operation, with the workflow or pipeline that it belongs to. If it belongs to the service, it
 * has neither.
 */
export interface ServiceOperation {
  readonly operation: Operation | StreamOperation;
  readonly workflow?: Workflow;
  /**
   * Over HTTP the operation is `POST /pipelines/{pipeline}/{operation}`. A direct operation takes
   * and returns a JSON object; a stream takes and returns JSON Lines.
   */
  readonly pipeline?: ServicePipeline;
}

/** Everything that a process offers; see the head of this file. */
export class Service {
  readonly engine: WorkflowEngine;
  readonly logger: Logger;
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly pipelines: ReadonlyMap<string, ServicePipeline>;
  /** All operations: those of the workflows, of the pipelines, and of the service itself. */
  readonly operations: readonly ServiceOperation[];

  /**
   * @throws TypeError if two workflows or two pipelines have the same name, if two operations of
   *   the same workflow, the same pipeline or the service itself do, or if two workflows receive
   *   mail; also as `Workflow.register`
   */
  constructor({ engine, workflows, pipelines = [], operations = [], logger = silentLogger }: ServiceParts) {
    this.engine = engine;
    this.logger = logger;
    this.workflows = new Map(workflows.map((workflow) => [workflow.name, workflow.register()]));
    if (this.workflows.size < workflows.length) throw new TypeError("two workflows have the same name");
    if (workflows.filter(({ receivesMail }) => receivesMail).length > 1) {
      throw new TypeError("two workflows receive mail");
    }
    const ofWorkflows = workflows.flatMap((workflow): ServiceOperation[] =>
      [...workflow.operations, batchOperation(workflow)].map((operation) => ({ operation, workflow })),
    );
    this.pipelines = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
    if (this.pipelines.size < pipelines.length) throw new TypeError("two pipelines have the same name");
    const ofPipelines = pipelines.flatMap((pipeline): ServiceOperation[] =>
      pipeline.operations.map((operation) => ({ operation, pipeline })),
    );
    const own = [...runOperations(this), ...operations].map((operation): ServiceOperation => ({ operation }));
    this.operations = [...ofWorkflows, ...ofPipelines, ...own];
    const names = this.operations.map(
      ({ operation, workflow, pipeline }) => `${workflow?.name ?? pipeline?.name ?? ""}/${operation.name}`,
    );
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new TypeError(`two operations are named ${twice}`);
  }

  /**
   * The operation with this name that belongs to no workflow and no pipeline.
   * @throws TypeError if there is none
   */
  operation(name: string): DirectOperation {
    const found = this.operations.find(
      ({ operation, workflow, pipeline }) => !workflow && !pipeline && operation.name === name,
    );
    if (found?.operation.kind !== "direct") throw new TypeError(`the service has no operation "${name}"`);
    return found.operation;
  }

  /**
   * Logs the cause of an unexpected error, because callers don't see it. Other errors are not
   * logged.
   */
  logUnexpected(error: unknown): void {
    logUnexpected(this.logger, error);
  }

  /** Whether a workflow receives mail. */
  get receivesMail(): boolean {
    return this.#mailReceiver !== undefined;
  }

  /**
   * Passes an incoming email to the workflow that receives mail, and resolves when its outcome is
   * durable.
   * @param raw the whole email, RFC 5322
   * @throws as `Workflow.receiveMail`
   */
  async receiveMail(raw: Uint8Array): Promise<MailReceipt> {
    if (this.#mailReceiver) return this.#mailReceiver.receiveMail(raw);
    throw new ValidationError("No workflow here receives mail.", { code: "no_mail_expected" });
  }

  get #mailReceiver(): Workflow | undefined {
    return [...this.workflows.values()].find(({ receivesMail }) => receivesMail);
  }

  /**
   * Finds a run by its workflow id, with its workflow.
   * @throws ValidationError (`unknown_run`), IoError
   */
  async run(workflowId: string): Promise<{ run: Run; workflow: Workflow }> {
    const run = await this.engine.get(tidyIdentifier(workflowId));
    const workflow = run && this.workflows.get(run.workflow);
    if (run && workflow) return { run, workflow };
    throw new ValidationError("There is no run with this workflow id.", { code: "unknown_run" });
  }

  /**
   * Finds the operation of a run's workflow for this part of the approval queue.
   * @throws ValidationError (`unknown_run`; `no_approvals` if the workflow has no such operation),
   *   IoError
   */
  async approvalOperation(
    workflowId: string,
    part: NonNullable<DirectOperation["approval"]>,
  ): Promise<{ operation: DirectOperation; workflow: Workflow }> {
    const { workflow } = await this.run(workflowId);
    const operation = workflow.operations.find((one) => one.kind === "direct" && one.approval === part);
    if (operation?.kind === "direct") return { operation, workflow };
    throw new ValidationError(`The workflow ${workflow.name} has no approvals.`, { code: "no_approvals" });
  }

  /**
   * Calls the operation that `approvalOperation` finds: shows what a run waits for, or decides on
   * it.
   * @throws ValidationError, ConflictError, IoError
   */
  async callApproval(
    part: NonNullable<DirectOperation["approval"]>,
    input: { workflow_id: string; [field: string]: unknown },
  ): Promise<object> {
    const { operation } = await this.approvalOperation(input.workflow_id, part);
    return operation.run(parse(operation.input, input), {});
  }
}

/** A workflow's `runBatch` as an operation. */
const batchOperation = (workflow: Workflow): StreamOperation => ({
  kind: "stream",
  name: "run_batch",
  description: "Run the workflow for every item, and return the results in the order of the items.",
  audience: "operator",
  scope: workflow.process.scope,
  input: workflow.process.input,
  output: RunResultSchema,
  run: (items, options) => workflow.runBatch(items, options),
});
