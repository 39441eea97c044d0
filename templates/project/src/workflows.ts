import type { CreateWorkflows } from "abi-workflows";
import { Payments } from "./payments.ts";
import { RefundWorkflow } from "./refund-workflow.ts";

/**
 * The workflows that `abi-workflows serve` offers. The service opens and closes the engine and the
 * knowledge graph.
 */
export const createWorkflows: CreateWorkflows = ({ engine, ontologyStore, logger }) => [
  new RefundWorkflow({
    engine,
    ontologyStore,
    logger,
    payments: new Payments({ folder: "payments" }),
    limit: 100,
  }),
];
