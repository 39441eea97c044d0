import type { WorkflowEngine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** The configuration that every workflow needs. A workflow's own configuration extends it. */
export interface WorkflowConfiguration {
  /**
   * Executes the runs. All workflows of an application share one engine. The caller that creates it
   * must close it.
   */
  engine: WorkflowEngine;
  /**
   * How many runs of this workflow are executed at the same time, across all processes that share
   * the engine's database (or in each process, see `EngineOptions.concurrencyPer`). At least 1,
   * default 5. Runs that wait for a retry or a person don't count. It is also the number of items
   * of a batch that are in progress at the same time.
   */
  maxParallelRequests?: number;
  logger?: Logger;
}

export const DEFAULT_MAX_PARALLEL_REQUESTS = 5;
