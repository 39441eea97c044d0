import type { WorkflowEngine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** What every workflow needs; a workflow's own configuration extends it. */
export interface WorkflowConfiguration {
  /** Runs the process durably. Shared by all workflows of an application, and closed by whoever made it. */
  engine: WorkflowEngine;
  /** Items that `runBatch` has at work at the same time; at least 1, default 5. */
  maxParallelRequests?: number;
  logger?: Logger;
}

export const DEFAULT_MAX_PARALLEL_REQUESTS = 5;
