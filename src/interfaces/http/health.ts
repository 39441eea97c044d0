/** Liveness and readiness. */
import { SingleFlight } from "../../concurrency/single-flight.ts";
import { describeCause } from "../../log.ts";
import type { HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";

/**
 * Checks one part of the service. Resolves with details about it; a `status` among them replaces
 * `ok`.
 * @throws whatever prevents the part from working
 */
export type HealthCheck = () => Promise<Readonly<Record<string, number | string>> | void>;

/** A part that takes longer to answer counts as unavailable. Milliseconds. */
const TIMEOUT_MS = 5000;

const STATE = { type: "object", properties: { status: { type: "string" } }, required: ["status"] };

export function healthRoutes(parts: HttpParts): Route[] {
  // Anyone may call `/readyz`, and each check costs the database something, so concurrent calls
  // share one check.
  const readinessChecks = new SingleFlight<Readiness>();
  return [
    {
      method: "GET",
      path: "/livez",
      id: "livez",
      tag: "health",
      summary: "Whether the process is alive",
      access: "public",
      operations: [],
      answers: {
        200: { description: "It is alive.", types: { "application/json": STATE }, example: { status: "ok" } },
      },
      handle: () => json({ status: "ok" }),
    },
    {
      method: "GET",
      path: "/readyz",
      id: "readyz",
      tag: "health",
      summary: "Whether the service can do its work",
      description: "Checks each part that the service needs, and says whether it works.",
      access: "public",
      operations: [],
      answers: {
        200: { description: "It is ready.", types: { "application/json": READINESS } },
        503: {
          description: "It is not ready: the answer says which part doesn't work, or that the service is closing.",
          types: { "application/json": READINESS },
        },
      },
      handle: async () => {
        const state = await readinessChecks.run("readyz", () => readiness(parts));
        return json(state, state.status === "ok" ? 200 : 503);
      },
    },
  ];
}

const READINESS = {
  type: "object",
  properties: {
    status: { type: "string", enum: ["ok", "unavailable", "closing"] },
    parts: { type: "object", additionalProperties: STATE },
  },
  required: ["status", "parts"],
};

interface Readiness {
  status: "ok" | "unavailable" | "closing";
  parts: Record<string, object>;
}

async function readiness({ checks, closing, service }: HttpParts): Promise<Readiness> {
  const parts = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        return [name, { status: "ok", ...(await within(check())) }] as const;
      } catch (error) {
        service.logger.warn({ part: name, cause: describeCause(error) }, "a part of the service is not ready");
        return [name, { status: "unavailable" }] as const;
      }
    }),
  );
  const isReady = parts.every(([, { status }]) => status !== "unavailable");
  const status = closing.aborted ? "closing" : isReady ? "ok" : "unavailable";
  return { status, parts: Object.fromEntries(parts) };
}

async function within<Value>(work: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer")), TIMEOUT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
