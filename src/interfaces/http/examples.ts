/** Placeholders in the OpenAPI document's examples for values that only a running service has. */
import type { Json } from "../../json.ts";

export type ExampleInput = Readonly<Record<string, Json>>;

export const EXAMPLE_ID = "workflow-6f1f9ad1-7c53-4c0e-8e4e-1f4a2b8d9c10";
