/** The list of runs of all workflows, and the page of a single run. */
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { FEEDBACK } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { WORKFLOWS } from "../page-facts.ts";
import { href, place, setQuery } from "../router.ts";
import { may } from "../session.ts";
import { Choice } from "../ui/choice.ts";
import { Icon } from "../ui/icons.ts";
import { OneLine } from "../ui/one-line.ts";
import { Empty, Pending } from "../ui/states.ts";
import { duration, Time } from "../ui/time.ts";
import { RunPanel } from "./run-panel.ts";
import { getRun, listRuns, type Run, type RunPage as Page } from "./runs-api.ts";
import { stepName } from "./waterfall.ts";

const STATUSES: Readonly<Record<Run["status"], { text: string; tone: string }>> = {
  started: { text: "Queued", tone: "quiet" },
  processing: { text: "Processing", tone: "busy" },
  waiting_for_approval: { text: "Needs approval", tone: "warn" },
  completed: { text: "Completed", tone: "good" },
  failed: { text: "Failed", tone: "bad" },
  cancelled: { text: "Cancelled", tone: "quiet" },
};

const PAGE = "50";

export function RunStatus({ run: { status, failing } }: { run: Run }) {
  const { text, tone } = failing ? { text: "Retrying", tone: "warn" } : STATUSES[status];
  return html`<span class=${`badge ${tone}`}>${text}</span>`;
}

/** How long a run took, from being accepted to its end; undefined if it has not ended. */
const took = (run: Run | undefined): string | undefined =>
  run?.start_time && run.end_time ? duration(Date.parse(run.end_time) - Date.parse(run.start_time)) : undefined;

const STATUS_TEXTS = Object.fromEntries(Object.entries(STATUSES).map(([name, { text }]) => [name, text]));
const WORKFLOW_TEXTS = Object.fromEntries(WORKFLOWS.map((name) => [name, name]));

/**
 * A page of runs. With a key: all runs with that key or, if there are none, the run with that id.
 */
async function find(
  { status, workflow, key, after }: Readonly<Record<"status" | "workflow" | "key" | "after", string>>,
  signal: AbortSignal,
): Promise<Page> {
  const ofWorkflow = workflow && { workflow };
  if (key === "")
    return listRuns({ limit: PAGE, ...ofWorkflow, ...(status && { status }), ...(after && { after }) }, signal);
  const { runs: named } = await listRuns({ key, ...ofWorkflow }, signal);
  const runs =
    named.length > 0 || !RUN_ID.test(key) ? named : await getRun(key, signal).then((run) => [run], nothingFor404);
  return {
    runs: runs.filter((run) => (!status || run.status === status) && (!workflow || run.workflow === workflow)),
  };
}

const RUN_ID = /^workflow-/;

function nothingFor404(error: unknown): [] {
  if (error instanceof ApiError && error.status === 404) return [];
  throw error;
}

export function Runs() {
  const { query } = place.value;
  const status = query.get("status") ?? "";
  const workflow = query.get("workflow") ?? "";
  const key = query.get("key") ?? "";
  const after = query.get("after") ?? "";
  const filters = { status, workflow, key, after };
  const { value, error, reload } = useLoad(JSON.stringify(filters), (signal) => find(filters, signal), {
    changesWith: () => true,
  });
  return html`
    <header class="page-head">
      <h1>Runs</h1>
      <p class="muted only-wide">What the service has done and is doing, in all workflows.</p>
    </header>
    <form class="toolbar" role="search" onSubmit=${(event: Event) => event.preventDefault()}>
      <label class="search">
        <${Icon} name="search" />
        <input
          type="search"
          aria-label="Id of a run, or of what it is about"
          placeholder="Id"
          autocomplete="off"
          value=${key}
          onChange=${({ currentTarget }: { currentTarget: HTMLInputElement }) => setQuery({ key: currentTarget.value.trim(), after: "" })}
        />
      </label>
      <${Choice} name="status" label="Status" value=${status} options=${STATUS_TEXTS} />
      ${WORKFLOWS.length > 1 && html`<${Choice} name="workflow" label="Workflow" value=${workflow} options=${WORKFLOW_TEXTS} />`}
    </form>
    <${Table} page=${value} error=${error} reload=${reload} />
  `;
}

function Table({ page, error, reload }: { page: Page | undefined; error: ApiError | undefined; reload: () => void }) {
  if (!page) return html`<${Pending} error=${error} retry=${reload} rows=${10} label="Loading runs" />`;
  if (page.runs.length === 0) {
    if (place.value.query.size > 0) return html`<${Empty} title="No runs here" />`;
    return html`<${Empty} title="No runs yet">
      Each request to a workflow appears here.${" "}<a href="/docs">See how to send one</a>, or use the command that the
      service printed when it started.
    <//>`;
  }
  return html`
    <div class="table-scroll" tabindex="0" role="region" aria-label="Runs">
      <table class="table">
        <thead>
          <tr>
            <th>Run</th>
            <th class="only-wide">Workflow</th>
            <th>Status</th>
            <th class="only-wide">Step</th>
            <th class="number only-wide">Took</th>
            <th class="number">Accepted</th>
          </tr>
        </thead>
        <tbody>
          ${page.runs.map(
            (run) => html`
              <tr key=${run.workflow_id}>
                <td>
                  <a href=${href(["runs", run.workflow_id])}><${OneLine} text=${run.key ?? run.workflow_id} /></a>
                  <span class="only-narrow muted"
                    >${[run.workflow, run.current_step && stepName(run.current_step)].filter(Boolean).join(", ")}</span
                  >
                </td>
                <td class="muted only-wide">${run.workflow}</td>
                <td><${RunStatus} run=${run} /></td>
                <td class="muted only-wide">${run.current_step && stepName(run.current_step)}</td>
                <td class="number muted only-wide">${took(run)}</td>
                <td class="number muted">${run.start_time && html`<${Time} at=${run.start_time} />`}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
    ${page.next && html`<a class="more" href=${href(["runs"], { ...Object.fromEntries(place.value.query), after: page.next })}>Older</a>`}
  `;
}

export function RunPage({ id }: { id: string }) {
  const [run, setRun] = useState<Run>();
  return html`
    <header class="page-head">
      <p class="crumbs"><a href=${href(["runs"])}>Runs</a></p>
      <h1><${OneLine} text=${run?.key ?? "Run"} /></h1>
      <p class="facts">
        ${run && html`<${RunStatus} run=${run} />`} <span class="muted">${run?.workflow}</span>
        ${run?.start_time && html`<span class="muted">accepted <${Time} at=${run.start_time} isFull /></span>`}
        ${took(run) && html`<span class="muted">took ${took(run)}</span>`}
        <code class="id">${id}</code>
        ${run?.workflow === FEEDBACK && run.key !== undefined && html`<a class="button small" href=${href(["feedback", run.key])}>See the feedback</a>`}
        ${run?.status === "waiting_for_approval" && may("approve") && html`<a class="button small" href=${href(["approvals", id])}>Decide</a>`}
      </p>
    </header>
    <section class="card" aria-label="Run"><${RunPanel} id=${id} onChange=${setRun} /></section>
    ${
      run?.result &&
      html`<section class="card">
        <h2>Result</h2>
        <pre class="code" tabindex="0">${JSON.stringify(run.result, null, 2)}</pre>
      </section>`
    }
  `;
}
