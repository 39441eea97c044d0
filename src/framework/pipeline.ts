import type { DynamicStructuredTool } from "@langchain/core/tools";
import { ValidationError } from "../errors.ts";
import { workflowTools } from "../interfaces/langchain/operation-tool.ts";
import type { ToolOptions } from "../interfaces/model-calls/fixed-fields.ts";
import type { ModelAudience } from "../interfaces/model-calls/model-call.ts";
import { withoutWorkflow } from "./direct-operations.ts";
import type { DirectOperation, StreamOperation } from "./operation.ts";

/** Options for a pipeline's `as_tools`. */
export interface PipelineToolOptions extends ToolOptions {
  /**
   * The audience whose operations become tools; default `agent`. Most operations of pipelines are
   * for operators: pass `operator` if a model should call them. Operations for people never become
   * tools.
   */
  audience?: ModelAudience;
}

/**
 * Base class of pipelines, which move data from a source into the graph. As long as the source is
 * unchanged, running a pipeline again with the same parameters changes no data, except perhaps the
 * time at which it was read.
 */
export abstract class Pipeline<Configuration, Parameters, Result> {
  /** In kebab-case, for routes. Required if there are operations. */
  readonly name: string = "";
  /** The operations that interfaces offer; default: none. */
  readonly operations: readonly (DirectOperation | StreamOperation)[] = [];
  protected readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  abstract run(parameters: Parameters, options?: { signal?: AbortSignal }): Promise<Result>;

  /**
   * Returns the operations for one audience as LangChain tools. Streams are left out.
   * @throws ValidationError (`invalid_configuration`) for another audience, a field that no tool
   *   has, or a value that its schema refuses
   * @example pipeline.as_tools({ audience: "operator" })
   */
  as_tools({ audience = "agent", ...options }: PipelineToolOptions = {}): DynamicStructuredTool[] {
    if (!["agent", "operator"].includes(audience)) {
      throw new ValidationError("The audience of tools is agent or operator.", { code: "invalid_configuration" });
    }
    const operations = this.operations.filter((operation) => operation.kind === "direct");
    return workflowTools(withoutWorkflow(operations), options, audience);
  }
}
