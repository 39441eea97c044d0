import { randomUUID } from "node:crypto";
import type { NewRunRecord } from "../../src/engine/run-store.ts";

/** A run to accept. */
export const newRunRecord = (workflow: string, key: string): NewRunRecord => ({
  id: randomUUID(),
  workflow,
  key,
  fingerprint: "f",
  inputJson: "null",
  priority: 0,
});
