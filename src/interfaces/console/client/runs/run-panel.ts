/** One run, updated live: its waterfall, what went wrong, and what an operator can do. */
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { useRunEvents } from "../live/follow-run.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { may } from "../session.ts";
import { Pending } from "../ui/states.ts";
import { Time } from "../ui/time.ts";
import { say } from "../ui/toast.ts";
import { cancelRun, ENDED, getHistory, getRun, retryRun, type Run } from "./runs-api.ts";
import { spansOf } from "./spans.ts";
import { stepName, Waterfall } from "./waterfall.ts";

export function RunPanel({ id, onChange }: { id: string; onChange?: (run: Run) => void }) {
  const [round, setRound] = useState(0);
  const events = useRunEvents(id, round);
  const load = async (signal: AbortSignal) => {
    const [run, history] = await Promise.all([getRun(id, signal), getHistory(id, signal)]);
    return { run, history };
  };
  // An event means that the run has changed, so it is loaded again.
  const last = events.at(-1);
  const { value, error, reload } = useLoad(id, load, {
    version: `${round} ${last?.id ?? -1}`,
    // The events of a run stop at its end, but somebody may resume it.
    changesWith: ({ workflow_id }, known) => workflow_id === id && known !== undefined && ENDED.has(known.run.status),
  });
  const startOver = (): void => setRound((number) => number + 1);
  useEffect(() => {
    if (!value) return;
    onChange?.(value.run);
    if (!ENDED.has(value.run.status) && ENDED.has(last?.type ?? "")) startOver();
  }, [value]);
  if (!value) return html`<${Pending} error=${error} retry=${reload} rows=${6} label="Loading the run" />`;
  const { run, history } = value;
  return html`
    <${Trouble} run=${run} />
    <${Waterfall}
      spans=${spansOf(run, history, events, Date.now())}
      end=${run.end_time === undefined ? undefined : Date.parse(run.end_time)}
    />
    <${Actions} run=${run} onDone=${startOver} />
  `;
}

function Trouble({ run: { status, error, failing } }: { run: Run }) {
  if (failing) {
    const { step, attempts, since, next_try: next, until } = failing;
    return html`
      <div class="notice warn" role="status">
        <b>${stepName(step)}</b> keeps failing: ${attempts} ${attempts === 1 ? "attempt" : "attempts"} since${" "}
        <${Time} at=${since} isFull />. ${next && html` Next try <${Time} at=${next} isFull />.`}
        ${until && html` It is retried until <${Time} at=${until} isFull />.`}
        <p dir="auto">${failing.error}</p>
      </div>
    `;
  }
  if (status !== "failed") return null;
  return html`<div class="notice bad" role="status"><b>Failed.</b> <span dir="auto">${error}</span></div>`;
}

function Actions({ run, onDone }: { run: Run; onDone: () => void }) {
  const { workflow_id: id, status, failing } = run;
  const [isSure, setIsSure] = useState(false);
  if (!may("feedback:write")) return null;
  const canRetry = status === "failed" || status === "cancelled" || failing?.until !== undefined;
  const act = (action: (id: string) => Promise<{ changed: boolean }>, done: string) => async (): Promise<void> => {
    setIsSure(false);
    try {
      const { changed } = await action(id);
      say(changed ? done : "The run has changed in the meantime, so nothing was done.", changed ? "good" : "bad");
      onDone();
    } catch (error) {
      if (error instanceof ApiError) say(error.message, "bad");
      else throw error;
    }
  };
  return html`
    <div class="actions">
      ${canRetry && html`<button type="button" class="button" onClick=${act(retryRun, "The run continues.")}>Retry</button>`}
      ${
        !ENDED.has(status) &&
        (isSure
          ? html`
              <span>Cancel this run before its next step?</span>
              <button type="button" class="button danger" onClick=${act(cancelRun, "Cancelled.")}>Yes, cancel</button>
              <button type="button" class="button plain" onClick=${() => setIsSure(false)}>No</button>
            `
          : html`<button type="button" class="button" onClick=${() => setIsSure(true)}>Cancel run</button>`)
      }
    </div>
  `;
}
