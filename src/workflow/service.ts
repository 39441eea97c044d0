/**
 * Everything that a process offers to the outside: the operations of its workflows, and those that every run has. A face (HTTP, MCP, the
 * command line) turns the operations of a service into its protocol, and knows nothing else.
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

/** What a service is made of. */
export interface ServiceParts {
  engine: WorkflowEngine;
  workflows: readonly Workflow[];
  /** What moves data into the graph; each with a name of its own. */
  pipelines?: readonly ServicePipeline[];
  /** Beside those of the workflows and pipelines: questions to the graph. */
  operations?: readonly DirectOperation[];
  logger?: Logger;
}

/** The slice of a pipeline that a service offers. */
export type ServicePipeline = Pick<Pipeline<unknown, unknown, unknown>, "name" | "operations">;

/** An operation with the workflow or the pipeline that it belongs to; without either where it belongs to the service. */
export interface ServiceOperation {
  readonly operation: Operation | StreamOperation;
  readonly workflow?: Workflow;
  /**
   * For HTTP: `POST /pipelines/{pipeline}/{operation}`. A direct operation takes a JSON object and answers with one, a stream takes JSON
   * Lines and answers with JSON Lines. `POST /pipelines/{pipeline}` is the direct operation of a pipeline that has one of them only.
   */
  readonly pipeline?: ServicePipeline;
}

/** See the head of this file. */
export class Service {
  readonly engine: WorkflowEngine;
  readonly logger: Logger;
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly pipelines: ReadonlyMap<string, ServicePipeline>;
  /** All operations: those of the workflows, of the pipelines, and of the service itself. */
  readonly operations: readonly ServiceOperation[];

  /** @throws TypeError for two workflows, pipelines, or operations of one of them, with the same name, and for two workflows that receive mail */
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

  /** The service's own operation of this name. */
  operation(name: string): DirectOperation {
    const found = this.operations.find(
      ({ operation, workflow, pipeline }) => !workflow && !pipeline && operation.name === name,
    );
    if (found?.operation.kind !== "direct") throw new TypeError(`the service has no operation "${name}"`);
    return found.operation;
  }

  /** Logs the cause of an error that callers are told nothing about. */
  logUnexpected(error: unknown): void {
    logUnexpected(this.logger, error);
  }

  /** Whether there is a workflow that takes mails. */
  get receivesMail(): boolean {
    return this.#mailReceiver !== undefined;
  }

  /**
   * Gives a mail from outside to the workflow that receives mail, and resolves when what becomes of it is durable.
   * @param raw the whole mail, RFC 5322
   * @throws as `Workflow.receiveMail`
   */
  async receiveMail(raw: Uint8Array): Promise<MailReceipt> {
    if (this.#mailReceiver) return this.#mailReceiver.receiveMail(raw);
    throw new ValidationError("No workflow here takes mail.", { code: "no_mail_expected" });
  }

  get #mailReceiver(): Workflow | undefined {
    return [...this.workflows.values()].find(({ receivesMail }) => receivesMail);
  }

  /**
   * A run by its workflow id, with the workflow that it is one of.
   * @throws ValidationError (`unknown_run`), IoError
   */
  async run(workflowId: string): Promise<{ run: Run; workflow: Workflow }> {
    const run = await this.engine.get(tidyIdentifier(workflowId));
    const workflow = run && this.workflows.get(run.workflow);
    if (run && workflow) return { run, workflow };
    throw new ValidationError("There is no run with this workflow id.", { code: "unknown_run" });
  }

  /**
   * The part of the approval queue that decides on a run: its workflow's own operation.
   * @throws ValidationError (`unknown_run`; `no_approvals` where runs of this workflow never wait for a person), IoError
   */
  async approvalOperation(
    workflowId: string,
    part: NonNullable<DirectOperation["approval"]>,
  ): Promise<{ operation: DirectOperation; workflow: Workflow }> {
    const { workflow } = await this.run(workflowId);
    const operation = workflow.operations.find((one) => one.kind === "direct" && one.approval === part);
    if (operation?.kind === "direct") return { operation, workflow };
    throw new ValidationError(`Nothing is approved in the workflow ${workflow.name}.`, { code: "no_approvals" });
  }

  /**
   * The same, called: shows what a run waits for, or decides on it.
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

/** `runBatch` of a workflow as an operation. */
const batchOperation = (workflow: Workflow): StreamOperation => ({
  kind: "stream",
  name: "run_batch",
  description: "Run the process for every item, and return the results in the order of the items.",
  audience: "operator",
  scope: workflow.process.scope,
  input: workflow.process.input,
  output: RunResultSchema,
  run: (items, options) => workflow.runBatch(items, options),
});
