/**
 * An operation is something that a workflow, a pipeline or the service can do. All interfaces
 * (agent tools, HTTP, MCP, command line) are made from operations, so they can't drift apart. The
 * schemas validate and document, the audience says where the operation may appear, and `run` does
 * the work.
 */
import type { z } from "zod";
import type { RunContext } from "../engine/engine.ts";
import type { Json } from "../json.ts";
import type { ToolProgress } from "./progress.ts";

/**
 * Who an operation is for. Operations for an `agent` become tools. Deciding is for a `person`: such
 * operations never become tools, so a model can never approve anything, whatever a text tells it.
 * Looking at runs, cancelling them and querying the graph are for an `operator`. These become tools
 * only if a program asks for them (`PipelineToolOptions.audience`).
 */
export type Audience = "agent" | "person" | "operator";

/** All scopes: the permissions that a token can have. */
export const SCOPES = ["feedback:read", "feedback:write", "approve", "admin"] as const;
/** One of the scopes. Over the network, each operation needs one. */
export type Scope = (typeof SCOPES)[number];

/** An example call for documentation: input and output. */
export interface OperationExample {
  readonly input: Readonly<Record<string, Json>>;
  readonly output?: Readonly<Record<string, Json>>;
}

/** Options that every call takes. */
export interface CallOptions {
  /** Aborts the call. A durable run that it has started continues. */
  signal?: AbortSignal;
}

interface OperationBase<Input extends z.ZodObject, Output extends z.ZodType> {
  /** In snake_case, unique within the workflow. It is also the name of the tool. */
  readonly name: string;
  /** For models and people: one sentence that says what it does, and more if that helps. */
  readonly description: string;
  readonly audience: Audience;
  readonly scope: Scope;
  readonly input: Input;
  /** What `run` returns. */
  readonly output: Output;
  readonly example?: OperationExample;
}

/** A direct call. It has no side effects unless it `writes`. */
export interface DirectOperation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> extends OperationBase<Input, Output> {
  readonly kind: "direct";
  /** True if the call changes something. */
  readonly writes: boolean;
  /** Its part in the approval queue, if it has one. Its input then has the run's `workflow_id`. */
  readonly approval?: "show" | "approve" | "edit" | "reject";
  run(input: z.output<Input>, options: CallOptions): Promise<z.output<Output>> | z.output<Output>;
}

/** A durable run: done once for each key, resumable, and retried after temporary errors. */
export interface DurableOperation<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> extends OperationBase<Input, Output> {
  readonly kind: "durable";
  /**
   * Name of the input field that permanently identifies the run. Its value must also follow the
   * rules of `identifier` (apart from the length), whatever its schema allows.
   */
  readonly key: keyof z.output<Input> & string;
  /**
   * Names of input fields from which a tool derives the key if the model gives none. The same
   * values give the same run.
   */
  readonly keyFrom?: readonly (keyof z.output<Input> & string)[];
  /**
   * Names of other input fields (texts, numbers, booleans) that every result repeats, to show what
   * it is for.
   */
  readonly echo?: readonly (keyof z.output<Input> & string)[];
  /**
   * Executes a run. It must be deterministic between its steps. Everything that can fail or has
   * effects must be in a step.
   */
  run(input: z.output<Input>, context: RunContext): Promise<z.output<Output>>;
}

/**
 * Takes many items and returns results in the order of the items: one for each item, or one for
 * several.
 */
export interface StreamOperation extends OperationBase<z.ZodObject, z.ZodType> {
  readonly kind: "stream";
  /** `input` is the schema of an item, `output` that of a result. */
  run(items: AsyncIterable<unknown>, options: CallOptions): AsyncIterable<object>;
}

/** An operation of a workflow. (The only stream, for batches, is added by the service.) */
export type Operation = DirectOperation | DurableOperation;

/**
 * Calls an operation with arguments from an interface. Yields progress, returns the result. If a
 * durable operation fails, its result says so (`success: false`).
 * @throws the error that the caller should get, if a direct operation fails; the reason of `signal`
 */
export type OperationCall = (args: unknown, options: CallOptions) => AsyncGenerator<ToolProgress, object>;

// A workflow's list holds operations with different schemas. `direct` and `durable` let TypeScript
// check each handler against its own schemas, and then widen the type, so that it fits into the
// list.

type Definition<Kind extends Operation, Defaulted extends string> = Omit<Kind, "kind" | "name" | Defaulted> & {
  [Name in Defaulted & keyof Kind]?: Kind[Name];
};

/**
 * Defines a direct operation for the `operations` of a workflow or pipeline. By default it is for
 * agents and changes nothing. The default scope is `feedback:read`, or `feedback:write` if it
 * `writes`.
 */
export function direct<Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  operation: Definition<DirectOperation<Input, Output>, "audience" | "scope" | "writes">,
): DirectOperation {
  const { writes = false, audience = "agent", scope = writes ? "feedback:write" : "feedback:read" } = operation;
  return { kind: "direct", name, ...operation, writes, audience, scope } as unknown as DirectOperation;
}

/**
 * Defines the durable operation of a workflow for its `operations`. By default it is for agents and
 * has the scope `feedback:write`.
 */
export function durable<Input extends z.ZodObject, Output extends z.ZodObject>(
  name: string,
  operation: Definition<DurableOperation<Input, Output>, "audience" | "scope">,
): DurableOperation {
  const { audience = "agent", scope = "feedback:write" } = operation;
  return { kind: "durable", name, ...operation, audience, scope } as unknown as DurableOperation;
}
