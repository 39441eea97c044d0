// Describes in one string where runs are stored, so that a test can pass it to the processes that it starts.
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import type { RestateOptions } from "../../src/engine/restate/options.ts";
import type { RestateServerProcess } from "./restate.ts";

/** @param ports on which the workers listen, one each; `workerUrl` leads to all of them */
export function restateLocation(
  { url, adminUrl }: Pick<RestateServerProcess, "url" | "adminUrl">,
  namespace: string,
  workerUrl: string,
  ports: readonly number[],
): string {
  const options = new URLSearchParams({ admin: adminUrl, worker: workerUrl, ports: ports.join() });
  return `${url}/${namespace}?${options.toString()}`;
}

export const isOnRestate = (location: string): boolean => location.startsWith("restate+");

/** @param worker index of the worker, from 0 */
export function restateOptions(location: string, worker = 0): RestateOptions {
  const { searchParams } = new URL(location);
  const value = (name: string): string => searchParams.get(name)!;
  const listen = `127.0.0.1:${value("ports").split(",")[worker]}`;
  return { adminUrl: value("admin"), workerUrl: value("worker"), listen };
}

/**
 * @param location a SQLite file, the URL of a PostgreSQL database, or a result of `restateLocation`
 * @param options `which`: index of the worker, from 0
 */
export async function openEngineAt(
  location: string,
  { which = 0, ...options }: EngineOptions & { which?: number } = {},
): Promise<DurableEngine> {
  if (!URL.canParse(location)) return new DurableEngine({ path: location, ...options });
  const restate = isOnRestate(location) ? { restate: restateOptions(location, which) } : {};
  return DurableEngine.connect(location, { ...options, ...restate });
}
