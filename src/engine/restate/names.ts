/** The names of our services in Restate: all begin with the namespace of the database URL. */
import { createHash } from "node:crypto";

export interface ServiceNames {
  /** The common prefix of all names. */
  readonly prefix: string;
  readonly runs: string;
  readonly executions: string;
  readonly places: string;
}

export function serviceNames(namespace: string): ServiceNames {
  const prefix = `${namespace}.`;
  return { prefix, runs: `${prefix}runs`, executions: `${prefix}executions`, places: `${prefix}places` };
}

/**
 * The id of the run with this key, a UUID of version 8 (RFC 9562). It is made from the key, and
 * Restate has only one object for each id, so keys are unique.
 */
export function runIdOf(workflow: string, key: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([workflow, key]))
    .digest()
    .subarray(0, 16);
  hash[6] = (hash[6]! & 0x0f) | 0x80;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const isRunId = (id: string): boolean => RUN_ID.test(id);
