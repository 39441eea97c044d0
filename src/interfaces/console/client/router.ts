/**
 * The current address. It contains everything that determines what a page shows, so that links and
 * the back button work. Its path has the name of a page and, if the page is about one thing, the id
 * of that thing. The ids `.` and `..` are in the query instead, because browsers would read them as
 * folders in a path, even if they are percent-encoded.
 */
import { signal } from "@preact/signals";
import { pushEntry, startReturning } from "./returning.ts";

const BASE = "/console/";
const ID = "id";

export interface Place {
  /** A page, and the id of what it is about. */
  readonly path: readonly [name?: string, id?: string];
  readonly query: URLSearchParams;
}

function here(): Place {
  const { pathname, search } = globalThis.location;
  const [name, ...others] = pathname.slice(BASE.length).split("/").filter(Boolean).map(decoded);
  const query = new URLSearchParams(search);
  const id = query.get(ID);
  query.delete(ID);
  const [first = id ?? undefined] = others;
  if (name === undefined) return { path: [], query };
  return { path: first ? [name, first] : [name], query };
}

/** A part of an address or URI without percent-encoding. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = signal<Place>({ path: [], query: new URLSearchParams() });

/** Address of a page. Empty values are left out. */
export function href(
  [name, id]: readonly [name?: string, id?: string],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const isFolder = id === "." || id === "..";
  const path = [name, isFolder ? undefined : id].filter((part) => part !== undefined);
  const given = Object.entries({ ...(isFolder && { [ID]: id }), ...query }).filter((entry): entry is [string, string] =>
    Boolean(entry[1]),
  );
  const search = given.length > 0 ? `?${new URLSearchParams(given).toString()}` : "";
  return `${BASE}${path.map(encodeURIComponent).join("/")}${search}`;
}

export function go(address: string, { replace = false } = {}): void {
  const isOtherPage = new URL(address, globalThis.location.href).pathname !== globalThis.location.pathname;
  if (replace) history.replaceState(history.state, "", address);
  else pushEntry(address);
  place.value = here();
  if (isOtherPage) scrollTo(0, 0);
}

/** Changes a part of the query and keeps the page. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  options: { replace?: boolean } = {},
): void {
  const { path, query } = place.value;
  go(href(path, { ...Object.fromEntries(query), ...changes }), options);
}

export function startRouter(): void {
  place.value = here();
  startReturning(() => (place.value = here()));
  document.addEventListener("click", followInside);
}

/** Follows links within the console without loading a new document. */
function followInside(event: MouseEvent): void {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!isPlain || event.defaultPrevented || !link || link.target !== "" || link.hasAttribute("download")) return;
  if (link.origin !== globalThis.location.origin || !link.pathname.startsWith(BASE)) return;
  event.preventDefault();
  // The back button returns to the link that had the focus, but Safari doesn't focus a link that is
  // clicked.
  link.focus({ preventScroll: true });
  go(link.href);
}
