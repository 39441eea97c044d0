/** The emails that wait for a person, with the oldest run first. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api.ts";
import { SentimentMark } from "../feedback/badges.ts";
import { listFeedback, type Certainty, type FeedbackItem } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useKeys } from "../keys.ts";
import { useLoad } from "../load.ts";
import { go, place, setQuery } from "../router.ts";
import type { Run, RunPage } from "../runs/runs-api.ts";
import { may } from "../session.ts";
import { OneLine } from "../ui/one-line.ts";
import { Empty, Pending } from "../ui/states.ts";
import { Time } from "../ui/time.ts";
import { addressOf, countOf, isAboutApprovals, listApprovals, PAGE, PAGES } from "./approvals-api.ts";
import { Decide } from "./decide.ts";

/** What the list shows of an email. */
interface Waiting {
  run: Run;
  subject: string;
  customer: string;
}

/** What the result of a feedback run says about the feedback. */
type Judged = Pick<FeedbackItem, "sentiment" | keyof Certainty>;

interface Queue extends RunPage {
  waiting: readonly Waiting[];
}

/** The first pages of waiting emails. */
async function queue(signal: AbortSignal, pages: number): Promise<Queue> {
  const [{ rows: runs, next }, items] = await Promise.all([
    read(pages, async (after) => {
      const page = await listApprovals(signal, after);
      return { rows: page.runs, next: page.next };
    }),
    may("feedback:read") ? read(pages, (after) => feedbackThatWaits(signal, after)) : { rows: [] },
  ]);
  const byRun = new Map(items.rows.map((item) => [item.workflow_id, item]));
  const waiting = runs.map((run) => {
    const item = byRun.get(run.workflow_id);
    const customer = item?.customer_name ?? item?.customer_id ?? run.workflow ?? "";
    return { run, subject: item?.subject ?? run.key ?? run.workflow_id, customer };
  });
  return { waiting, runs, ...(next !== undefined && { next }) };
}

interface Rows<Row> {
  rows: readonly Row[];
  next: string | undefined;
}

async function read<Row>(pages: number, load: (after: string | undefined) => Promise<Rows<Row>>): Promise<Rows<Row>> {
  let all = await load(undefined);
  for (let page = 1; page < pages && all.next !== undefined; page += 1) {
    const { rows, next } = await load(all.next);
    all = { rows: [...all.rows, ...rows], next };
  }
  return all;
}

const feedbackThatWaits = async (signal: AbortSignal, after: string | undefined): Promise<Rows<FeedbackItem>> => {
  const { feedback, next } = await listFeedback(
    { status: "waiting_for_approval", order: "oldest", after, limit: PAGE },
    signal,
  );
  return { rows: feedback, next };
};

export function Approvals({ id }: { id: string | undefined }) {
  const pages = Math.max(1, Number.parseInt(place.value.query.get(PAGES) ?? "", 10) || 1);
  const { value, error, reload } = useLoad(may("approve") ? "approvals" : undefined, (signal) => queue(signal, pages), {
    changesWith: isAboutApprovals,
    version: String(pages),
  });
  // Ids of the runs that were decided on after the list was read.
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set());
  const shown = value?.waiting.filter(({ run }) => !decided.has(run.workflow_id));
  useEffect(() => setDecided(new Set()), [value]);
  const ids = (shown ?? []).map(({ run }) => run.workflow_id);
  const first = ids[0];
  useEffect(() => {
    // A phone has no room for the list and an email at once, so the list comes first.
    if (id === undefined && first !== undefined && matchMedia("(min-width: 800px)").matches)
      go(addressOf(first), { replace: true });
  }, [id, first]);
  const move = (by: number): void => {
    const at = id === undefined ? -1 : ids.indexOf(id);
    const next = ids[Math.max(0, Math.min(ids.length - 1, at + by))];
    if (next !== undefined) go(addressOf(next), { replace: true });
  };
  useKeys({ j: () => move(1), k: () => move(-1) });
  const hasDecided = useRef(false);
  const onDecided = (): void => {
    hasDecided.current = true;
    const others = ids.filter((other) => other !== id);
    const next = others[Math.min(Math.max(0, ids.indexOf(id ?? "")), others.length - 1)];
    setDecided((known) => new Set([...known, id ?? ""]));
    reload();
    go(addressOf(next), { replace: true });
    if (next === undefined) document.querySelector("main")?.focus({ preventScroll: true });
  };
  if (!may("approve")) {
    return html`<header class="page-head"><h1>Approvals</h1></header>
      <${Empty} title="You can't decide here">Deciding on emails needs a token with the scope approve.<//>`;
  }
  return html`
    <div class=${`split ${id === undefined ? "" : "has-detail"}`}>
      <div class="split-list">
        <header class="page-head">
          <h1>Approvals ${shown && html`<span class="count">${countOf(shown.length, value?.next)}</span>`}</h1>
          <p class="muted only-wide">Oldest first. <kbd>j</kbd> <kbd>k</kbd> move.</p>
        </header>
        <${List} waiting=${shown} id=${id} error=${error} reload=${reload} />
        ${value?.next && html`<button type="button" class="more" onClick=${() => setQuery({ [PAGES]: String(pages + 1) }, { replace: true })}>Load more</button>`}
      </div>
      <div class="split-detail">
        ${id === undefined ? null : html`<${Decide} key=${id} id=${id} onDecided=${onDecided} takesFocus=${hasDecided.current} />`}
      </div>
    </div>
  `;
}

function List({
  waiting: all,
  id,
  error,
  reload,
}: {
  waiting: readonly Waiting[] | undefined;
  id: string | undefined;
  error: ApiError | undefined;
  reload: () => void;
}) {
  const isLoaded = all !== undefined;
  // Keys, links and the back button lead to emails that may be out of sight. Scroll before anything
  // is drawn, because `returning.ts`, which restores the scroll position after Back, continues from
  // there.
  useLayoutEffect(() => {
    if (isLoaded) document.querySelector(".queue-item[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [id, isLoaded]);
  if (!all) return html`<${Pending} error=${error} retry=${reload} rows=${8} label="Loading approvals" />`;
  if (all.length === 0)
    return html`<${Empty} title="No emails waiting">Emails that need a person's decision appear here.<//>`;
  return html`
    <ul class="queue" role="list">
      ${all.map(
        ({ run, subject, customer }) => html`
          <li key=${run.workflow_id}>
            <a
              href=${addressOf(run.workflow_id)}
              class="queue-item"
              aria-current=${run.workflow_id === id ? "true" : undefined}
            >
              <${SentimentMark} ...${run.result as Judged | undefined} />
              <b><${OneLine} text=${subject} /></b>
              ${run.start_time && html`<${Time} at=${run.start_time} />`}
              <span class="muted"><${OneLine} text=${customer} /></span>
              ${run.result?.["action"] === "escalate" && html`<span class="chip">escalated</span>`}
            </a>
          </li>
        `,
      )}
    </ul>
  `;
}
