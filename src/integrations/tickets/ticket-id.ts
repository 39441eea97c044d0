import { createHash } from "node:crypto";

/**
 * The id of a ticket with this key, if no ticket system assigns one: `TICKET-` and 50 bits of the
 * key's SHA-256 in ten characters 0–9, A–V. Among a million tickets, the probability that two share
 * an id is about 1 in 2000.
 */
export function ticketId(key: string): string {
  const bits = createHash("sha256").update(key).digest().readBigUInt64BE() >> 14n;
  return `TICKET-${bits.toString(32).padStart(10, "0").toUpperCase()}`;
}
