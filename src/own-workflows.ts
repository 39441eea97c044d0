import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { WorkflowEngine } from "./engine/engine.ts";
import { ValidationError } from "./errors.ts";
import type { EmailIntegration } from "./integrations/email/email-integration.ts";
import type { Logger } from "./log.ts";
import type { OntologyStore } from "./ontology/ontology-store.ts";
import { Workflow } from "./workflow/workflow.ts";

/** The parts of an application that workflows share. The application opens and closes them. */
export interface WorkflowParts {
  engine: WorkflowEngine;
  ontologyStore: OntologyStore;
  emailIntegration: EmailIntegration;
  /** As the setting says. */
  maxParallelRequests: number;
  logger: Logger;
}

/** Makes the workflows that an application offers beside customer feedback. */
export type CreateWorkflows = (parts: WorkflowParts) => readonly Workflow[] | Promise<readonly Workflow[]>;

const unusable = (problem: string): ValidationError =>
  new ValidationError(`WORKFLOWS (workflows) ${problem}`, { code: "invalid_configuration" });

/**
 * The function that a module of somebody's own exports as `createWorkflows`.
 * @param path of the module, JavaScript or TypeScript that Node.js can run
 * @throws ValidationError (`invalid_configuration`) where there is no such module or function; what the module throws
 */
export async function loadWorkflows(path: string): Promise<CreateWorkflows> {
  const file = resolve(path);
  if (!existsSync(file)) throw unusable(`names ${path}, and there is no such file.`);
  const module: unknown = await import(pathToFileURL(file).href);
  const { createWorkflows } = module as { createWorkflows?: unknown };
  if (typeof createWorkflows !== "function") {
    throw unusable(`names ${path}, which must export a function createWorkflows(parts) that returns workflows.`);
  }
  return async (parts) => {
    const workflows: unknown = await (createWorkflows as CreateWorkflows)(parts);
    if (Array.isArray(workflows) && workflows.every((one) => one instanceof Workflow)) return workflows;
    throw unusable(`names ${path}, whose createWorkflows must return an array of workflows.`);
  };
}
