/** The questions behind the charts. */

/** How many days back, or all time. */
export type Range = "7" | "30" | "365" | "all";

/** How many characters of an ISO time name its minute, hour, day or month. */
export type Granularity = 16 | 13 | 10 | 7;

const HOUR = 3_600_000;

/** Ranges of the time that an answer took. `upTo` itself belongs to the next range. */
export const WAITS = [
  { label: "under a minute", upTo: "PT1M" },
  { label: "under an hour", upTo: "PT1H" },
  { label: "under a day", upTo: "P1D" },
  { label: "longer", upTo: undefined },
] as const;

/** Chosen so that there are about 100 columns at most, unless there are years of feedback. */
export function granularityOf(first: string | undefined, last: string | undefined): Granularity {
  const span = first === undefined || last === undefined ? 0 : Date.parse(last) - Date.parse(first);
  if (span < HOUR) return 16;
  if (span < 72 * HOUR) return 13;
  return span < 100 * 24 * HOUR ? 10 : 7;
}

/**
 * Names of all minutes, hours, days or months from one time to another, so that a chart shows empty
 * ones too.
 */
export function timesBetween(first: string, last: string, granularity: Granularity): string[] {
  const times: string[] = [];
  const end = new Date(last).toISOString().slice(0, granularity);
  for (const time = new Date(first); ;) {
    const name = time.toISOString().slice(0, granularity);
    if (name > end) return times;
    if (times.at(-1) !== name) times.push(name);
    // Step through months by days, because their lengths differ.
    time.setTime(time.getTime() + STEPS[granularity]);
  }
}

const STEPS: Readonly<Record<Granularity, number>> = { 16: 60_000, 13: HOUR, 10: 24 * HOUR, 7: 24 * HOUR };

const bucket = (): string =>
  WAITS.reduceRight<string>(
    (rest, { upTo }, index) =>
      upTo === undefined ? String(index) : `IF(?wait < "${upTo}"^^xsd:dayTimeDuration, ${index}, ${rest})`,
    String(WAITS.length - 1),
  );

/** @param now the time from which the range goes back */
export function chartQueries(range: Range, now: Date) {
  const since = range === "all" ? undefined : new Date(now.getTime() - Number(range) * 24 * HOUR).toISOString();
  const feedback = `?f abi:timestamp ?t .${since === undefined ? "" : ` FILTER(?t >= "${since}"^^xsd:dateTime)`}`;
  return {
    extent: `SELECT (MIN(?t) AS ?first) (MAX(?t) AS ?last) (COUNT(?f) AS ?total) { ${feedback} }`,
    // In UTC, because a query can't know when clocks change where the person is.
    overTime: (length: Granularity) => `SELECT ?time ?sentiment (COUNT(?f) AS ?number) {
  ${feedback} ?f abi:sentiment ?sentiment . BIND(SUBSTR(STR(?t), 1, ${length}) AS ?time)
} GROUP BY ?time ?sentiment ORDER BY ?time`,
    categories: `SELECT ?category ?sentiment (COUNT(?f) AS ?number) {
  ${feedback} ?f abi:hasCategory ?category ; abi:sentiment ?sentiment
} GROUP BY ?category ?sentiment`,
    actions: `SELECT ?action (COUNT(?f) AS ?number) { ${feedback} ?f abi:action ?action } GROUP BY ?action ORDER BY DESC(?number)`,
    waits: `SELECT ?bucket (COUNT(?f) AS ?number) {
  ${feedback} ?f abi:responseTime ?answered . BIND(?answered - ?t AS ?wait) BIND(${bucket()} AS ?bucket)
} GROUP BY ?bucket`,
    customers: `SELECT ?customer ?id ?name ?segment ?value ?complaints ?about {
  { SELECT ?customer (COUNT(DISTINCT ?f) AS ?complaints) (GROUP_CONCAT(DISTINCT ?category; separator=" ") AS ?about) {
      ${feedback} ?f abi:sentiment "negative" ; abi:providedBy ?customer ; abi:hasCategory ?category
    } GROUP BY ?customer ORDER BY DESC(?complaints) LIMIT 10 }
  OPTIONAL { GRAPH <http://example.org/abi/stores/customer_data> {
    ?customer abi:id ?id . OPTIONAL { ?customer abi:name ?name } OPTIONAL { ?customer abi:segment ?segment } OPTIONAL { ?customer abi:lifetimeValue ?value }
  } }
} ORDER BY DESC(?complaints) DESC(?value)`,
  };
}
