/** Values that stand for what only a running service has, in the examples of the OpenAPI document. */
import type { Json } from "../../json.ts";

export type Parameters = Readonly<Record<string, Json>>;

export const EXAMPLE_ID = "workflow-6f1f9ad1-7c53-4c0e-8e4e-1f4a2b8d9c10";
