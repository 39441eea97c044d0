import { call } from "../api.ts";
import type { Certainty } from "../feedback/feedback-api.ts";
import { href, place } from "../router.ts";
import type { Run, RunPage } from "../runs/runs-api.ts";
import type { ShownMail } from "../ui/mail-view.ts";
import type { Corrections, Labels } from "./labels.ts";

/** An email that waits for a person. */
export interface PendingMail extends ShownMail, Labels, Certainty {
  workflow_id: string;
  feedback_id: string;
  customer_id: string;
  /** What the customer wrote. */
  feedback_text: string;
  /** Identifies exactly this email. */
  rendering: string;
  refusal?: string;
}

export interface Decided {
  decision: "approve" | "edit" | "reject";
  by: string;
  decided_at: string;
}

const path = (id: string, rest = ""): string => `/approvals/${encodeURIComponent(id)}${rest}`;

/** The parameter in the address that says how many pages of the list are shown. */
export const PAGES = "pages";

/**
 * The address of an email, or of the list alone, with as many pages of the list as are shown now.
 */
export const addressOf = (id?: string): string =>
  href(id === undefined ? ["approvals"] : ["approvals", id], { [PAGES]: place.value.query.get(PAGES) ?? "" });

/** How many entries a page of the list has: the most that `list_feedback` returns at once. */
export const PAGE = 200;

/** @param after `next` of the previous page */
export const listApprovals = (signal?: AbortSignal, after?: string): Promise<RunPage> =>
  call<RunPage>(`/approvals?${new URLSearchParams({ limit: String(PAGE), ...(after && { after }) })}`, { signal });

/** How many emails wait: `7`, or `200+` if the list goes on. */
export const countOf = (listed: number, next: string | undefined): string =>
  `${listed}${next === undefined ? "" : "+"}`;

/**
 * Whether a changed run may change the list: the run belongs there now, is on it, or may be on a
 * part that is not loaded.
 */
export const isAboutApprovals = ({ workflow_id: id, status }: Run, { runs, next }: Partial<RunPage> = {}): boolean =>
  status === "waiting_for_approval" || next !== undefined || (runs ?? []).some(({ workflow_id }) => workflow_id === id);

export const getPending = (id: string, signal?: AbortSignal): Promise<PendingMail> => call(path(id), { signal });

export const approve = (id: string, rendering: string, labels: Corrections): Promise<Decided> =>
  call(path(id, "/approve"), { body: { rendering, ...labels } });

export const edit = (
  id: string,
  words: { rendering: string; subject: string; text: string } & Corrections,
): Promise<Decided> => call(path(id, "/edit"), { body: words });

export const reject = (id: string, rendering: string, reason: string, labels: Corrections): Promise<Decided> =>
  call(path(id, "/reject"), { body: { rendering, ...(reason !== "" && { reason }), ...labels } });
