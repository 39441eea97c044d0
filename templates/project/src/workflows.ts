import type { CreateWorkflows } from "abi-workflows";
import { Payments } from "./payments.ts";
import { RefundWorkflow } from "./refund-workflow.ts";

/** The workflows that `abi-workflows serve` offers. It opens the engine and the knowledge graph, and closes them. */
export const createWorkflows: CreateWorkflows = ({ engine, ontologyStore, logger }) => [
  new RefundWorkflow({
    engine,
    ontologyStore,
    logger,
    payments: new Payments({ folder: "payments" }),
    limit: 100,
  }),
];
