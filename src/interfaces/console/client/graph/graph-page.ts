/** Questions to the graph in SPARQL. */
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.ts";
import { isSend } from "../keys.ts";
import { useLoad } from "../load.ts";
import { href, place, setQuery } from "../router.ts";
import { OneLine } from "../ui/one-line.ts";
import { Bars, type Bar } from "../ui/plots.ts";
import { Empty, Failed, Loading } from "../ui/states.ts";
import { duration } from "../ui/time.ts";
import { forget, QUESTIONS, save, saved, type Question } from "./questions.ts";
import { ask, type Answer, type Term } from "./sparql.ts";

async function timed(query: string, signal: AbortSignal) {
  const started = performance.now();
  const answer = await ask(query, signal);
  return { answer, tookMs: performance.now() - started };
}

export function GraphPage() {
  const given = place.value.query.get("query") ?? "";
  const [draft, setDraft] = useState(given || QUESTIONS[0]!.query);
  useEffect(() => {
    if (given) setDraft(given);
  }, [given]);
  const { value, error, isLoading, reload } = useLoad(given === "" ? undefined : given, (signal) =>
    timed(given, signal),
  );
  const run = (): void => {
    if (draft === given) reload();
    else setQuery({ query: draft });
  };
  return html`
    <header class="page-head">
      <h1>Graph</h1>
      <p class="muted">
        Ask anything in SPARQL 1.1; nothing can be changed here. The prefixes abi, prov, rdf and xsd are declared.
      </p>
    </header>
    <div class="ask">
      <nav class="card questions" aria-label="Questions">
        <h2>Questions</h2>
        <${Questions} questions=${QUESTIONS} current=${draft} />
        ${
          saved.value.length > 0 &&
          html`<h2>Saved in this browser</h2>
            <${Questions} questions=${saved.value} current=${draft} onForget=${forget} />`
        }
      </nav>
      <div class="ask-main">
        <${Editor} query=${draft} onInput=${setDraft} onRun=${run} isBusy=${isLoading} />
        ${isLoading && html`<${Loading} rows=${5} label="Asking the graph" />`}
        ${!isLoading && error && html`<${Failed} error=${error} retry=${reload} />`}
        ${!isLoading && value && html`<${Result} ...${value} />`}
        ${!value && !error && !isLoading && html`<${Empty} title="Ask something">Choose a question, or write your own.<//>`}
      </div>
    </div>
  `;
}

function Questions({
  questions,
  current,
  onForget,
}: {
  questions: readonly Question[];
  current: string;
  onForget?: (name: string) => void;
}) {
  return html`
    <ul role="list">
      ${questions.map(
        ({ name, query }) =>
          html` <li key=${name}>
            <a href=${href(["graph"], { query })} aria-current=${query === current ? "true" : undefined}>${name}</a>
            ${onForget && html`<button type="button" class="button plain small" aria-label=${`Forget ${name}`} onClick=${() => onForget(name)}>×</button>`}
          </li>`,
      )}
    </ul>
  `;
}

function Editor({
  query,
  onInput,
  onRun,
  isBusy,
}: {
  query: string;
  onInput: (text: string) => void;
  onRun: () => void;
  isBusy: boolean;
}) {
  const name = useRef<HTMLInputElement>(null);
  const [isNaming, setIsNaming] = useState(false);
  useEffect(() => {
    if (isNaming) name.current?.focus();
  }, [isNaming]);
  const canRun = !isBusy && query.trim() !== "";
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isSend(event)) return;
    event.preventDefault();
    if (canRun) onRun();
  };
  const onSave = (event: Event): void => {
    event.preventDefault();
    const given = name.current?.value.trim() ?? "";
    if (given !== "") save({ name: given, query });
    setIsNaming(false);
  };
  return html`
    <div class="card form">
      <label
        ><span class="visually-hidden">Query</span>
        <textarea
          class="code"
          rows="9"
          spellcheck="false"
          value=${query}
          onKeyDown=${onKeyDown}
          onInput=${({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => onInput(currentTarget.value)}
        ></textarea>
      </label>
      <div class="actions">
        <button type="button" class="button primary" disabled=${!canRun} onClick=${onRun}>Ask <kbd>Ctrl ↵</kbd></button>
        ${
          isNaming
            ? html`<form class="inline-form" onSubmit=${onSave}>
                <input
                  ref=${name}
                  type="text"
                  aria-label="Name of the question"
                  maxlength="80"
                  placeholder="Name"
                /><button class="button">Save</button>
              </form>`
            : html`<button type="button" class="button plain" onClick=${() => setIsNaming(true)}>
                Save this question
              </button>`
        }
      </div>
    </div>
  `;
}

function Result({ answer, tookMs }: { answer: Answer; tookMs: number }) {
  const { rows, triples, boolean, isTruncated } = answer;
  const [isChart, setIsChart] = useState(false);
  const bars = barsOf(answer);
  const what =
    boolean !== undefined ? "" : triples === undefined ? `${rows.length} ${rows.length === 1 ? "row" : "rows"}, ` : "";
  return html`
    <section class="card" aria-label="Answer">
      <div class="result-head">
        <p class="muted" role="status">
          ${what}${duration(tookMs)}${isTruncated && ". There is more: the answer was cut off at the service's limit."}
        </p>
        ${
          bars &&
          html` <div class="segmented" role="group" aria-label="How the answer is shown">
            <button type="button" aria-pressed=${!isChart} onClick=${() => setIsChart(false)}>Table</button>
            <button type="button" aria-pressed=${isChart} onClick=${() => setIsChart(true)}>Chart</button>
          </div>`
        }
      </div>
      ${boolean !== undefined && html`<p class="decision">${boolean ? "Yes" : "No"}</p>`}
      ${triples !== undefined && html`<pre class="code" tabindex="0" aria-label="Triples">${triples || "No triples."}</pre>`}
      ${boolean === undefined && triples === undefined && (isChart && bars ? html`<${Bars} ...${bars} />` : html`<${Table} answer=${answer} />`)}
    </section>
  `;
}

/** As many rows as a page can show without stuttering. */
const SHOWN_ROWS = 500;

function Table({ answer: { variables, rows } }: { answer: Answer }) {
  const [isAll, setIsAll] = useState(false);
  if (rows.length === 0) return html`<p class="muted">No rows.</p>`;
  const shown = isAll ? rows : rows.slice(0, SHOWN_ROWS);
  return html`
    <div class="table-scroll" tabindex="0" role="region" aria-label="Rows">
      <table class="table">
        <thead>
          <tr>
            ${variables.map((name) => html`<th key=${name} class=${isNumber(rows[0]?.[name]) ? "number" : ""}>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (row, index) =>
              html`<tr key=${index}>
                ${variables.map((name) => html`<td key=${name} class=${isNumber(row[name]) ? "number" : ""}><${Value} term=${row[name]} /></td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${shown.length < rows.length && html`<button type="button" class="more" onClick=${() => setIsAll(true)}>Show all ${rows.length} rows</button>`}
  `;
}

const ENTITY = "http://example.org/abi/";

function Value({ term }: { term: Term | undefined }) {
  if (!term) return html`<span class="muted">–</span>`;
  const { type, value } = term;
  if (type !== "uri") return html`<${OneLine} text=${value} />`;
  const short = value.startsWith(ENTITY) ? value.slice(ENTITY.length) : value;
  return html`<a href=${href(["graph"], { query: `DESCRIBE <${value}>` })} title=${value}>${short}</a>`;
}

const isNumber = (term: Term | undefined): boolean =>
  /#(?:decimal|double|float|\w*integer|(?:unsigned)?(?:long|int|short|byte))$/i.test(term?.datatype ?? "");

const MOST_BARS = 40;

/**
 * An answer as a chart. Its first column gives the labels; of the others, the first that has
 * nothing but numbers gives the bars. Undefined if there is no such column, if a number is negative
 * or infinite, or if there are too many rows.
 */
function barsOf({
  variables,
  rows,
}: Answer): { title: string; of: string; series: { name: string; tone: string }[]; bars: Bar[] } | undefined {
  const [first, ...others] = variables;
  const numbers = others.find(
    (name) => rows.some((row) => row[name]) && rows.every((row) => !row[name] || isNumber(row[name])),
  );
  if (first === undefined || numbers === undefined || rows.length > MOST_BARS) return undefined;
  const bars = rows.map((row) => ({ label: row[first]?.value ?? "–", values: [Number(row[numbers]?.value ?? 0)] }));
  if (!bars.every(({ values: [value] }) => Number.isFinite(value) && value! >= 0)) return undefined;
  return { title: `${numbers} by ${first}`, of: first, series: [{ name: numbers, tone: "accent" }], bars };
}
