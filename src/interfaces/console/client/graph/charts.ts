/** What the graph says about all feedback. */
import { Categories } from "../feedback/badges.ts";
import { SENTIMENTS, type Filters } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { decoded, href, place, setQuery } from "../router.ts";
import { may } from "../session.ts";
import { OneLine } from "../ui/one-line.ts";
import { Bars, Columns, totalOf, type Bar, type Series } from "../ui/plots.ts";
import { Pending } from "../ui/states.ts";
import { chartQueries, granularityOf, timesBetween, WAITS, type Range } from "./chart-queries.ts";
import { select } from "./sparql.ts";

const BY_SENTIMENT: readonly Series[] = SENTIMENTS.map((name) => ({ name, tone: name }));
const ACTIONS: Readonly<Record<string, string>> = {
  auto_respond: "answer by email",
  escalate: "escalate",
  no_action: "record only",
};
const ONE: readonly Series[] = [{ name: "feedback", tone: "accent" }];
const RANGES: Readonly<Record<Range, string>> = { "7": "7 days", "30": "30 days", "365": "a year", all: "all time" };

type Rows = readonly Record<string, string>[];

/** Where the feedback with these filters is listed; undefined for people who may not see it. */
const listOf = (filters: Filters): string | undefined => (may("feedback:read") ? href([], filters) : undefined);

const isRange = (text: string | null): text is Range => text !== null && Object.hasOwn(RANGES, text);

/**
 * Pause between two loads. Milliseconds. Longer than for lists, because these queries read all
 * feedback of the range.
 */
const PAUSE_MS = 5000;

async function load(range: Range, signal: AbortSignal) {
  const queries = chartQueries(range, new Date());
  const [extent = {}] = await select(queries.extent, signal);
  const { first, last } = extent;
  const granularity = granularityOf(first, last);
  const [overTime, categories, actions, waits, customers] = await Promise.all(
    [queries.overTime(granularity), queries.categories, queries.actions, queries.waits, queries.customers].map(
      (query) => select(query, signal),
    ),
  );
  return {
    total: Number(extent["total"] ?? 0),
    times: first === undefined || last === undefined ? [] : timesBetween(first, last, granularity),
    overTime: overTime!,
    categories: categories!,
    actions: actions!,
    waits: waits!,
    customers: customers!,
  };
}

export function Charts() {
  const given = place.value.query.get("range");
  const range: Range = isRange(given) ? given : "all";
  const { value, error, reload } = useLoad(range, (signal) => load(range, signal), {
    changesWith: () => true,
    pauseMs: PAUSE_MS,
  });
  return html`
    <header class="page-head">
      <h1>Charts</h1>
      <div class="segmented" role="group" aria-label="Time">
        ${Object.entries(RANGES).map(([name, text]) => html`<button key=${name} type="button" aria-pressed=${name === range} onClick=${() => setQuery({ range: name === "all" ? "" : name })}>${text}</button>`)}
      </div>
    </header>
    ${value ? html`<${Board} ...${value} />` : html`<${Pending} error=${error} retry=${reload} rows=${10} label="Asking the graph" />`}
  `;
}

function Board({ total, times, overTime, categories, actions, waits, customers }: Awaited<ReturnType<typeof load>>) {
  const escalated = numberOf(actions, "action", "escalate");
  const negative = sum(overTime.filter((row) => row["sentiment"] === "negative"));
  return html`
    <dl class="tiles">
      <${Tile} name="Feedback" value=${total} />
      <${Tile} name="Negative" value=${share(negative, total)} />
      <${Tile} name="Escalated" value=${share(escalated, total)} />
      <${Tile} name="Answered" value=${share(sum(waits), total)} />
    </dl>
    <div class="board">
      <div class="wide">
        <${Columns}
          title="Sentiment over time (UTC)"
          of="Time (UTC)"
          series=${BY_SENTIMENT}
          bars=${timeBars(overTime, times)}
        />
      </div>
      <${Bars} title="Categories" of="Category" series=${BY_SENTIMENT} bars=${categoryBars(categories)} />
      <div>
        <${Bars}
          title="What was decided"
          of="Action"
          series=${ONE}
          bars=${actions.map((row) => ({ label: ACTIONS[row["action"] ?? ""] ?? row["action"]!, values: [Number(row["number"])], href: listOf({ action: row["action"]! }) }))}
        />
        <${Bars} title="Time to answer" of="Time" series=${ONE} bars=${waitBars(waits)} />
      </div>
      <div class="wide"><${Unhappy} customers=${customers} /></div>
    </div>
  `;
}

const Tile = ({ name, value }: { name: string; value: string | number }) =>
  html`<div class="tile">
    <dt>${name}</dt>
    <dd>${value.toLocaleString("en")}</dd>
  </div>`;

const share = (part: number, whole: number): string => (whole === 0 ? "–" : `${Math.round((part / whole) * 100)} %`);

const sum = (rows: Rows): number => rows.reduce((all, row) => all + Number(row["number"]), 0);

/** The number in the row that has this value in a column. */
const numberOf = (rows: Rows, column: string, value: string): number =>
  Number(rows.find((row) => row[column] === value)?.["number"] ?? 0);

/** The number for each sentiment, in the order of `SENTIMENTS`. */
const bySentiment = (rows: Rows = []): number[] => SENTIMENTS.map((name) => numberOf(rows, "sentiment", name));

function timeBars(rows: Rows, times: readonly string[]): Bar[] {
  const groups = Map.groupBy(rows, (row) => row["time"]);
  return times.map((time) => ({ label: shortTime(time), values: bySentiment(groups.get(time)) }));
}

function categoryBars(rows: Rows): Bar[] {
  return [...Map.groupBy(rows, (row) => row["category"] ?? "")]
    .map(([label, ofLabel]) => ({ label, values: bySentiment(ofLabel), href: listOf({ category: label }) }))
    .toSorted((one, other) => totalOf(other) - totalOf(one));
}

/**
 * `2026-11-29T13:05` as `13:05`, `2026-11-29T13` as `29 Nov 13 h`, `2026-11-29` as `29 Nov`,
 * `2026-11` as `Nov 2026`. The times are UTC.
 */
function shortTime(text: string): string {
  const [date = "", clock] = text.split("T");
  if (clock?.includes(":")) return clock;
  const [year, month, day] = date.split("-");
  const name = new Date(`${year}-${month}-01T00:00:00Z`).toLocaleString("en", { month: "short", timeZone: "UTC" });
  if (day === undefined) return `${name} ${year}`;
  return clock === undefined ? `${Number(day)} ${name}` : `${Number(day)} ${name} ${clock} h`;
}

const waitBars = (rows: Rows): Bar[] =>
  WAITS.map(({ label }, index) => ({ label, values: [numberOf(rows, "bucket", String(index))] }));

function Unhappy({ customers }: { customers: Rows }) {
  return html`
    <section class="card">
      <h2>Who is unhappy, and about what</h2>
      ${
        customers.length === 0
          ? html`<p class="muted">Nobody.</p>`
          : html` <div class="table-scroll" tabindex="0" role="region" aria-label="Unhappy customers">
              <table class="table">
                <thead>
                  <tr>
                    <th>Customer</th>
                    <th>Segment</th>
                    <th class="number">Lifetime value</th>
                    <th class="number">Complaints</th>
                    <th>About</th>
                  </tr>
                </thead>
                <tbody>
                  ${customers.map(
                    (row) =>
                      html` <tr key=${row["customer"]}>
                        <td><${Customer} row=${row} /></td>
                        <td>${row["segment"]}</td>
                        <td class="number">${row["value"] && Number(row["value"]).toLocaleString("en")}</td>
                        <td class="number">${row["complaints"]}</td>
                        <td>
                          <${Categories} categories=${(row["about"] ?? "").split(" ").filter(Boolean)} />
                        </td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
    </section>
  `;
}

function Customer({ row: { customer = "", id, name } }: { row: Rows[number] }) {
  // If the customer data doesn't have the customer, the id is only in the URI.
  const known = id ?? decoded(customer.slice(customer.lastIndexOf("/") + 1));
  const shown = html`<${OneLine} text=${name ?? known} />`;
  const list = listOf({ customer_id: known, sentiment: "negative" });
  return list === undefined ? shown : html`<a href=${list}>${shown}</a>`;
}
