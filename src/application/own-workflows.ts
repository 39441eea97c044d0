import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { WorkflowEngine } from "../engine/engine.ts";
import { invalidConfiguration, isAbiError, type ValidationError } from "../errors.ts";
import type { EmailIntegration } from "../integrations/email/email-integration.ts";
import type { Logger } from "../log.ts";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import { Workflow } from "../framework/workflow.ts";

/** The parts of an application that workflows share. The application opens and closes them. */
export interface WorkflowParts {
  engine: WorkflowEngine;
  ontologyStore: OntologyStore;
  emailIntegration: EmailIntegration;
  /** The value of `MAX_PARALLEL_REQUESTS`. */
  maxParallelRequests: number;
  logger: Logger;
}

/** Creates the workflows that an application offers in addition to customer feedback. */
export type CreateWorkflows = (parts: WorkflowParts) => readonly Workflow[] | Promise<readonly Workflow[]>;

const invalidModule = (problem: string, cause?: unknown): ValidationError =>
  invalidConfiguration(`WORKFLOWS (workflows) ${problem}`, cause);

/**
 * Describes an error in the user's own module. It includes the place in the code, because whoever
 * reads the message has written that module.
 */
function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [place] = /[^\s()]+\.[cm]?[jt]s:\d+/.exec(error.stack ?? "") ?? [];
  return `${error.name}: ${error.message}${place === undefined ? "" : ` (${place.replace("file://", "")})`}`;
}

/**
 * Loads the function that the user's module exports as `createWorkflows`.
 * @param path of the module, JavaScript or TypeScript that Node.js can run
 * @returns a function that calls `createWorkflows`, passes on its `AbiError`s, and throws a
 *   ValidationError (`invalid_configuration`) if it fails otherwise or doesn't return workflows
 * @throws ValidationError (`invalid_configuration`) if the module is missing, can't be loaded, or
 *   exports no such function
 */
export async function loadWorkflows(path: string): Promise<CreateWorkflows> {
  const file = resolve(path);
  if (!existsSync(file)) throw invalidModule(`names ${path}, but there is no such file.`);
  const module: unknown = await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw invalidModule(`names ${path}, which can't be loaded. ${describeFault(cause)}`, cause);
  });
  const { createWorkflows } = module as { createWorkflows?: unknown };
  if (typeof createWorkflows !== "function") {
    throw invalidModule(`names ${path}, which must export a function createWorkflows(parts) that returns workflows.`);
  }
  return async (parts) => {
    let workflows: unknown;
    try {
      workflows = await (createWorkflows as CreateWorkflows)(parts);
    } catch (cause) {
      if (isAbiError(cause)) throw cause;
      throw invalidModule(`names ${path}, whose createWorkflows failed. ${describeFault(cause)}`, cause);
    }
    if (Array.isArray(workflows) && workflows.every((one) => one instanceof Workflow)) return workflows;
    throw invalidModule(`names ${path}, whose createWorkflows must return an array of workflows.`);
  };
}
