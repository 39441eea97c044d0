import { call } from "../api.ts";
import type { Run } from "../runs/runs-api.ts";
import type { ShownMail } from "../ui/mail-view.ts";
import type { Corrections, Labels } from "./labels.ts";

/** A mail that waits for a person. */
export interface PendingMail extends ShownMail, Labels {
  workflow_id: string;
  feedback_id: string;
  customer_id: string;
  /** Stands for exactly this mail. */
  rendering: string;
  refusal?: string;
}

export interface Decided {
  decision: "approve" | "edit" | "reject";
  by: string;
  decided_at: string;
}

const path = (id: string, rest = ""): string => `/approvals/${encodeURIComponent(id)}${rest}`;

export const listApprovals = async (signal?: AbortSignal): Promise<readonly Run[]> =>
  (await call<{ runs: readonly Run[] }>("/approvals?limit=200", { signal })).runs;

/** Whether a run that has changed is on this list, or belongs there now. */
export const isAboutApprovals = ({ workflow_id: id, status }: Run, listed: readonly Run[] = []): boolean =>
  status === "waiting_for_approval" || listed.some(({ workflow_id }) => workflow_id === id);

export const getPending = (id: string, signal?: AbortSignal): Promise<PendingMail> => call(path(id), { signal });

export const approve = (id: string, rendering: string, labels: Corrections): Promise<Decided> =>
  call(path(id, "/approve"), { body: { rendering, ...labels } });

export const edit = (
  id: string,
  words: { rendering: string; subject: string; text: string } & Corrections,
): Promise<Decided> => call(path(id, "/edit"), { body: words });

export const reject = (id: string, rendering: string, reason: string, labels: Corrections): Promise<Decided> =>
  call(path(id, "/reject"), { body: { rendering, ...(reason !== "" && { reason }), ...labels } });
