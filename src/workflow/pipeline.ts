import type { DynamicStructuredTool } from "@langchain/core/tools";
import { ValidationError } from "../errors.ts";
import { workflowTools } from "../faces/langchain/operation-tool.ts";
import type { ToolOptions } from "../faces/model-calls/fixed-fields.ts";
import type { ModelAudience } from "../faces/model-calls/model-call.ts";
import { withoutWorkflow } from "./direct-operations.ts";
import type { DirectOperation, StreamOperation } from "./operation.ts";

/** Options of a pipeline's `as_tools`. */
export interface PipelineToolOptions extends ToolOptions {
  /**
   * Whose operations become tools; default `agent`. What moves data is mostly for operators: a program that wants a model to do it
   * says so with `operator`. What is for people is never a tool.
   */
  audience?: ModelAudience;
}

/** Base of everything that moves data from a source into the graph. Running it again with the same parameters changes nothing more. */
export abstract class Pipeline<Configuration, Parameters, Result> {
  /** kebab-case; in routes. Needed where there are operations. */
  readonly name: string = "";
  /** What faces offer of it; default: nothing. */
  readonly operations: readonly (DirectOperation | StreamOperation)[] = [];
  protected readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  abstract run(parameters: Parameters, options?: { signal?: AbortSignal }): Promise<Result>;

  /**
   * The operations for one audience as LangChain tools. Streams are none.
   * @throws ValidationError (`invalid_configuration`) for options that can't work
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
