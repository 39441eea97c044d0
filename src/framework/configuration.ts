import type { WorkflowEngine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** The configuration that every workflow needs. A workflow's own configuration extends it. */
export interface WorkflowConfiguration {
  /**
   * Executes the runs. All workflows of an application share one engine; whoever has created it
   * closes it.
   */
  engine: WorkflowEngine;
  /**
   * How many runs of this workflow are executed at the same time, across all processes that share
   * the engine's database. It is also the limit for the items of a batch. At least 1, default 5.
   * Runs that wait for a retry don't count.
   */
  maxParallelRequests?: number;
  logger?: Logger;
}

export const DEFAULT_MAX_PARALLEL_REQUESTS = 5;
