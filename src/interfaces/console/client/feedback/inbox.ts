/** All feedback, newest first. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { html } from "../html.ts";
import { useKeys } from "../keys.ts";
import { OTHER_WORKFLOWS } from "../page-facts.ts";
import { href, place, setQuery } from "../router.ts";
import { Choice } from "../ui/choice.ts";
import { Icon } from "../ui/icons.ts";
import { OneLine, plain } from "../ui/one-line.ts";
import { Empty, Failed, Loading } from "../ui/states.ts";
import { dayOf, fullTime, Time } from "../ui/time.ts";
import { Categories, Outcome, SentimentMark } from "./badges.ts";
import { ACTIONS, CATEGORIES, FILTERS, SENTIMENTS, STATUSES, type FeedbackItem, type Filters } from "./feedback-api.ts";
import { useFeedbackList } from "./feedback-list.ts";
import { Guide } from "./guide.ts";

const words = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, name]));

const CHOICES = {
  status: { label: "Status", options: STATUSES as Record<string, string> },
  sentiment: { label: "Sentiment", options: words(SENTIMENTS) },
  category: { label: "Category", options: words(CATEGORIES) },
  action: { label: "Action", options: ACTIONS as Record<string, string> },
} as const;

const filtersOf = (query: URLSearchParams): Filters =>
  Object.fromEntries(FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name)!]] : [])));

export function Inbox() {
  const filters = filtersOf(place.value.query);
  const list = useFeedbackList(filters);
  // The feedback whose row had the focus last.
  const last = useRef<FeedbackItem>(undefined);
  const onFocus = ({ target }: FocusEvent): void => {
    last.current = list.items[rowsShown().findIndex((row) => row === target)];
  };
  const move = (by: number): void => {
    const { current } = last;
    const at = list.items.findIndex(({ workflow_id: id }) => id === current?.workflow_id);
    // A row that no longer matches goes; then continue from where it was.
    const newer = current ? list.items.filter(({ timestamp }) => timestamp > current.timestamp).length : 0;
    const to = at === -1 ? newer + Math.min(by, 0) : at + by;
    rowsShown()[Math.max(0, Math.min(list.items.length - 1, to))]?.focus();
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    "/": () => document.querySelector<HTMLInputElement>("#search")?.focus(),
  });
  return html`
    <header class="page-head">
      <h1>Inbox</h1>
      <p class="muted only-wide">All feedback, newest first. <kbd>j</kbd> <kbd>k</kbd> move, <kbd>/</kbd> search.</p>
    </header>
    ${Object.keys(filters).length === 0 && html`<${Guide} />`}
    <${Toolbar} filters=${filters} />
    ${list.waiting > 0 && html`<button type="button" class="news" onClick=${list.showNews}>${list.waiting} new</button>`}
    <${Rows} list=${list} hasFilters=${Object.keys(filters).length > 0} onFocus=${onFocus} />
  `;
}

const rowsShown = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".row")];

function Toolbar({ filters }: { filters: Filters }) {
  const hasFilters = Object.keys(filters).length > 0;
  return html`
    <form class="toolbar" role="search" onSubmit=${(event: Event) => event.preventDefault()}>
      <${Search} value=${filters.search ?? ""} />
      ${Object.entries(CHOICES).map(
        ([name, { label, options }]) =>
          html`<${Choice}
            key=${name}
            name=${name}
            label=${label}
            value=${filters[name as keyof Filters] ?? ""}
            options=${options}
          />`,
      )}
      ${filters.customer_id && html`<span class="chip is-set">Customer ${filters.customer_id}</span>`}
      ${hasFilters && html`<a class="button plain" href=${href([])}>Clear</a>`}
    </form>
  `;
}

const TYPING_MS = 250;

function Search({ value }: { value: string }) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // The back and forward buttons change it too, but what is being typed must stay.
    if (field.current && field.current !== document.activeElement) field.current.value = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onInput = ({ currentTarget }: { currentTarget: HTMLInputElement }): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ search: currentTarget.value.trim() }, { replace: true }), TYPING_MS);
  };
  return html`
    <label class="search">
      <${Icon} name="search" />
      <input
        id="search"
        ref=${field}
        type="search"
        aria-label="Search ids, subjects and texts"
        placeholder="Search"
        autocomplete="off"
        defaultValue=${value}
        onInput=${onInput}
      />
    </label>
  `;
}

interface RowsProps {
  list: ReturnType<typeof useFeedbackList>;
  hasFilters: boolean;
  onFocus: (event: FocusEvent) => void;
}

function Rows({ list, hasFilters, onFocus }: RowsProps) {
  const { items, error, isLoading, next, searchedBackTo, more } = list;
  const days = useMemo(() => [...Map.groupBy(items, ({ timestamp }) => dayOf(timestamp))], [items]);
  if (items.length === 0 && error) return html`<${Failed} error=${error} retry=${list.reload} />`;
  if (items.length === 0 && isLoading) return html`<${Loading} rows=${12} label="Loading feedback" />`;
  return html`
    ${items.length === 0 && (next === undefined || !searchedBackTo) && html`<${Nothing} hasFilters=${hasFilters} />`}
    <div class="rows" onFocusIn=${onFocus}>
      ${days.map(
        ([day, ofDay]) => html`
          <section key=${day} class="day">
            <h2>${day}</h2>
            ${chunks(ofDay).map((chunk, index) => html`<${Chunk} key=${index} items=${chunk} />`)}
          </section>
        `,
      )}
    </div>
    ${next !== undefined && html`<${More} more=${more} isLoading=${isLoading} error=${error} searchedBackTo=${searchedBackTo} />`}
  `;
}

/** Some rows. They are redrawn only if one has changed, because a list may have thousands. */
function Chunk({ items }: { items: readonly FeedbackItem[] }) {
  return useMemo(
    () => html`
      <ul class="chunk" role="list">
        ${items.map((item) => html`<${Row} key=${item.workflow_id} item=${item} />`)}
      </ul>
    `,
    [...items],
  );
}

const Nothing = ({ hasFilters }: { hasFilters: boolean }) =>
  hasFilters
    ? html`<${Empty} title="Nothing matches"><a href=${href([])}>Show all feedback</a><//>`
    : html`<${Empty} title="No feedback yet">
        It appears here as it comes in.${" "}<a href="/docs">See how to send it</a>.
        ${OTHER_WORKFLOWS.length > 0 && html`<p>What your other workflows do is under <a href=${href(["runs"])}>Runs</a>.</p>`}
      <//>`;

const Row = ({ item }: { item: FeedbackItem }) => html`
  <li>
    <a class="row" href=${href(["feedback", item.feedback_id])}>
      <${SentimentMark} ...${item} />
      <span class="row-text"
        ><b><${OneLine} text=${item.subject} /></b> <span class="muted"><${OneLine} text=${item.excerpt} /></span
      ></span>
      <span class="row-customer" title=${plain(item.customer_id)}
        ><${OneLine} text=${item.customer_name ?? item.customer_id}
      /></span>
      <span class="row-categories"><${Categories} categories=${item.categories} /></span>
      <${Outcome} item=${item} />
      <${Time} at=${item.timestamp} isDayShown />
    </a>
  </li>
`;

function More({
  more,
  isLoading,
  error,
  searchedBackTo,
}: Pick<ReturnType<typeof useFeedbackList>, "more" | "isLoading" | "error" | "searchedBackTo">) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const { current } = button;
    if (!current || error) return undefined;
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && more(),
      { rootMargin: "600px" },
    );
    observer.observe(current);
    return () => observer.disconnect();
  });
  return html`
    <button ref=${button} type="button" class="more" disabled=${isLoading} onClick=${more}>
      ${isLoading ? "Loading…" : error ? "That did not work. Try again" : "Load more"}
      ${searchedBackTo && ` (searched back to ${fullTime(searchedBackTo)})`}
    </button>
  `;
}

/**
 * How many rows a chunk has. Browsers don't lay out a chunk while it is far from the screen (see
 * `.chunk` in `style.css`).
 */
const CHUNK = 50;

const chunks = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, index) =>
    items.slice(index * CHUNK, (index + 1) * CHUNK),
  );
