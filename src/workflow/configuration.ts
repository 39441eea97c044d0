import type { WorkflowEngine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** What every workflow needs; a workflow's own configuration extends it. */
export interface WorkflowConfiguration {
  /** Runs the process durably. Shared by all workflows of an application, and closed by whoever made it. */
  engine: WorkflowEngine;
  /**
   * At most so many runs of this workflow are at work at the same time, in all processes that share the engine's database, and
   * so many items of a batch; at least 1, default 5. What waits for a retry does not count.
   */
  maxParallelRequests?: number;
  logger?: Logger;
}

export const DEFAULT_MAX_PARALLEL_REQUESTS = 5;
