import { html } from "../html.ts";
import { duration, fullTime } from "../ui/time.ts";
import { scaleOf, type Span } from "./spans.ts";

const KINDS: Readonly<Record<Span["kind"], string>> = {
  step: "completed",
  failed: "failed",
  running: "at work",
  queue: "waited for a worker",
  retry: "waited for the next attempt",
  person: "waited for a person",
};

/** Words of machines as words of people: `feedback_stored` is "Feedback stored". */
export const stepName = (step: string): string => {
  const words = step.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Spans below each other, each where it lies in time. */
export function Waterfall({ spans }: { spans: readonly Span[] }) {
  const at = scaleOf(spans);
  const first = spans[0];
  if (!first) return html`<p class="muted">Nothing has happened yet.</p>`;
  const last = Math.max(...spans.map(({ end }) => end));
  return html`
    <div class="waterfall">
      <div class="waterfall-head muted">
        <span>${fullTime(new Date(first.start).toISOString())}</span>
        <span>${duration(last - first.start)} in all</span>
      </div>
      <ol role="list">
        ${spans.map((span, index) => html`<${SpanRow} key=${index} span=${span} from=${at(span.start)} to=${at(span.end)} />`)}
      </ol>
      <p class="waterfall-note muted">
        Short spans are drawn longer and long ones shorter than they are; the figures are exact.
      </p>
    </div>
  `;
}

/** As wide as can still be seen. Percent. */
const LEAST_WIDTH = 0.8;

function SpanRow({ span, from, to }: { span: Span; from: number; to: number }) {
  const { label, kind, start, end, attempt, error } = span;
  const left = Math.min(from * 100, 100 - LEAST_WIDTH);
  const width = Math.max((to - from) * 100, LEAST_WIDTH);
  return html`
    <li class=${`span ${kind}`}>
      <span class="span-label"
        >${kind === "retry" ? "" : stepName(label)}${attempt !== undefined && kind !== "retry" && html` <span class="muted">attempt ${attempt}</span>`}</span
      >
      <span class="span-track" aria-hidden="true"
        ><span class="span-bar" style=${{ left: `${left}%`, width: `${width}%` }}></span
      ></span>
      <span class="span-time" title=${`From ${new Date(start).toISOString()}`}
        ><span class="visually-hidden">${KINDS[kind]}, </span>${duration(end - start)}</span
      >
      ${error !== undefined && html`<span class="span-error" dir="auto">${error}</span>`}
    </li>
  `;
}
