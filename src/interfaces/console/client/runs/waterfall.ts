import { html } from "../html.ts";
import { duration, fullTime } from "../ui/time.ts";
import { scaleOf, type Scale, type Span } from "./spans.ts";

const KINDS: Readonly<Record<Span["kind"], string>> = {
  step: "completed",
  failed: "failed",
  running: "at work",
  queue: "waited for a worker",
  retry: "waited for the next attempt",
  person: "waited for a person",
  idle: "nothing happened",
};

/** Turns a name into words for people: `feedback_stored` becomes "Feedback stored". */
export const stepName = (step: string): string => {
  const words = step.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/**
 * One span to a row, each at its place in time.
 * @param end when the run ended; undefined if it has not
 */
export function Waterfall({ spans, end }: { spans: readonly Span[]; end: number | undefined }) {
  if (spans.length === 0) return html`<p class="muted">Nothing has happened yet.</p>`;
  const scale = scaleOf(spans, end);
  const { at, ticks, first, last } = scale;
  const lines = {
    backgroundImage: ticks.map(() => "linear-gradient(var(--line), var(--line))").join(", "),
    backgroundPosition: ticks.map((tick) => `${at(tick) * 100}% 0`).join(", "),
  };
  return html`
    <div class="waterfall">
      <div class="waterfall-head muted">
        <span>${fullTime(new Date(first).toISOString())}</span>
        <span>${duration(last - first)} in all</span>
      </div>
      <div class="waterfall-rows">
        <div class="waterfall-axis muted" aria-hidden="true">
          <span class="span-track"
            >${ticks.map((tick) => html`<span key=${tick} style=${{ left: `${at(tick) * 100}%` }}>${tick === first ? "0" : duration(tick - first)}</span>`)}</span
          >
        </div>
        <ol role="list">
          ${spans.map((span, index) => html`<${SpanRow} key=${index} span=${span} scale=${scale} lines=${lines} />`)}
        </ol>
      </div>
      <p class="waterfall-note muted">Not to scale: short spans are drawn longer than they are. The times are exact.</p>
    </div>
  `;
}

/** The smallest width that can still be seen. Percent. */
const LEAST_WIDTH = 0.8;

function SpanRow({
  span,
  scale: { at },
  lines,
}: {
  span: Span;
  scale: Scale;
  lines: Readonly<Record<string, string>>;
}) {
  const { label, kind, start, end, attempt, error } = span;
  const left = Math.min(at(start) * 100, 100 - LEAST_WIDTH);
  const width = Math.max((at(end) - at(start)) * 100, LEAST_WIDTH);
  return html`
    <li class=${`span ${kind}`}>
      <span class="span-label"
        >${kind === "retry" ? "" : stepName(label)}${attempt !== undefined && kind !== "retry" && html` <span class="muted">attempt ${attempt}</span>`}</span
      >
      <span class="span-track" style=${lines} aria-hidden="true"
        ><span class="span-bar" style=${{ left: `${left}%`, width: `${width}%` }}></span
      ></span>
      <span class="span-time" title=${`From ${new Date(start).toISOString()}`}
        ><span class="visually-hidden">${KINDS[kind]}, </span>${end > start && duration(end - start)}</span
      >
      ${error !== undefined && html`<span class="span-error" dir="auto">${error}</span>`}
    </li>
  `;
}
