import { call } from "../api.ts";

/** A run, as the API returns it. */
export interface Run {
  workflow_id: string;
  workflow?: string;
  key?: string;
  status: "started" | "processing" | "waiting_for_approval" | "completed" | "failed" | "cancelled";
  current_step?: string;
  steps_completed?: readonly string[];
  start_time?: string;
  end_time?: string;
  result?: Readonly<Record<string, unknown>>;
  error?: string;
  error_code?: string;
  failing?: { step: string; attempts: number; since: string; next_try?: string; until?: string; error: string };
}

/** Statuses of a run that has ended. Its last event has the same name as its status. */
export const ENDED: ReadonlySet<string> = new Set<Run["status"]>(["completed", "failed", "cancelled"]);

/** One attempt of one step. */
export interface Attempt {
  step: string;
  status: "running" | "completed" | "failed" | "died";
  start_time: string;
  end_time?: string;
  error?: string;
  error_code?: string;
}

export interface RunPage {
  runs: readonly Run[];
  next?: string;
}

const path = (id: string, rest = ""): string => `/runs/${encodeURIComponent(id)}${rest}`;

export const getRun = (id: string, signal?: AbortSignal): Promise<Run> => call<Run>(path(id), { signal });

export const getHistory = async (id: string, signal?: AbortSignal): Promise<readonly Attempt[]> =>
  (await call<{ history: readonly Attempt[] }>(path(id, "/history"), { signal })).history;

export const listRuns = (filters: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<RunPage> =>
  call<RunPage>(`/runs?${new URLSearchParams(filters).toString()}`, { signal });

export const retryRun = (id: string): Promise<Run & { changed: boolean }> =>
  call(path(id, "/retry"), { method: "POST" });

export const cancelRun = (id: string): Promise<Run & { changed: boolean }> =>
  call(path(id, "/cancel"), { method: "POST" });
