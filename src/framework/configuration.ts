import type { WorkflowEngine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** The configuration that every workflow needs. A workflow's own configuration extends it. */
export interface WorkflowConfiguration {
  /**
   * Runs the process durably. All workflows of an application share it. Close it where you have
   * created it.
   */
  engine: WorkflowEngine;
  /**
   * How many runs of this workflow are executed at the same time, across all processes that share
   * the engine's database. It also limits the items of a batch. At least 1, default 5. Runs that
   * wait for a retry don't count.
   */
  maxParallelRequests?: number;
  logger?: Logger;
}

export const DEFAULT_MAX_PARALLEL_REQUESTS = 5;
