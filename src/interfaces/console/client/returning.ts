/**
 * Back and forward lead to where a page was left: to the same rows on the screen, and to the link
 * that was followed. Browsers do this too, but only if the page is immediately as long as before.
 * Our lists are not, because they have to be loaded first.
 */

/** Where a page was left. Pixels. */
interface Spot {
  /** How far it was scrolled down. */
  y: number;
  /** The link that had the focus: its address, and its distance from the top of the window. */
  link?: { href: string; top: number };
}

/** By the key of the history entry, which is stored as the entry's state. */
const spots = new Map<string, Spot>();
let entry = "";
/** Stops a return that is not complete. */
let stop: (() => void) | undefined;

const STORED_AS = "spots";
/** How long a page may take to become as long as before. Milliseconds. */
const PATIENCE_MS = 10_000;
/** Events that end a return, because a page must not move while its reader moves it. */
const MOVES = ["wheel", "touchstart", "pointerdown", "keydown"];

/** @param show draws the page of the current address */
export function startReturning(show: () => void): void {
  history.scrollRestoration = "manual";
  readStored();
  enter();
  addEventListener("popstate", () => {
    leave();
    show();
    enter();
  });
  addEventListener("pagehide", () => {
    leave();
    store();
  });
}

/** Goes to another address and adds it to the history. */
export function pushEntry(address: string): void {
  leave();
  entry = newEntry();
  history.pushState(entry, "", address);
}

const newEntry = (): string => `${Date.now()}-${Math.random()}`;

const LINK = "#main a[href]";
const linkTo = (href: string): HTMLElement | null => document.querySelector(`#main a[href="${CSS.escape(href)}"]`);

function leave(): void {
  // A return to this page was not complete, so the spot that is known is still the right one.
  if (stop) return stop();
  const { activeElement: link } = document;
  spots.set(entry, {
    y: scrollY,
    ...(link?.matches(LINK) && {
      link: { href: link.getAttribute("href")!, top: link.getBoundingClientRect().top },
    }),
  });
}

function enter(): void {
  if (typeof history.state !== "string") history.replaceState(newEntry(), "");
  entry = history.state as string;
  const spot = spots.get(entry);
  if (spot) bringBack(spot);
}

/**
 * Scrolls again and again until the spot is reached, for 10 seconds at most: a list loads more when
 * its end comes into sight, and a row gets its true height only when it is in sight.
 */
function bringBack({ y, link }: Spot): void {
  const controller = new AbortController();
  const { signal } = controller;
  stop = () => {
    stop = undefined;
    controller.abort();
  };
  for (const move of MOVES) addEventListener(move, () => stop?.(), { signal });
  const until = performance.now() + PATIENCE_MS;
  const look = (): void => {
    if (signal.aborted) return;
    const target = link && linkTo(link.href);
    const distance = (): number => (target ? target.getBoundingClientRect().top - link.top : y - scrollY);
    target?.focus({ preventScroll: true });
    const isBack = Math.abs(distance()) < 2 && (target || !link);
    if (isBack || performance.now() > until) return stop?.();
    for (const list of scrollersAround(target)) list.scrollTop += distance();
    scrollBy(0, distance());
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** Parts of the page that scroll by themselves. */
function scrollersAround(element: Element | null | undefined): Element[] {
  const scrollers: Element[] = [];
  for (let at = element?.parentElement; at && at !== document.documentElement; at = at.parentElement)
    if (getComputedStyle(at).overflowY === "auto") scrollers.push(at);
  return scrollers;
}

function readStored(): void {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORED_AS) ?? "[]") as [string, Spot][];
    for (const [key, spot] of stored) spots.set(key, spot);
  } catch {
    // Storage may be switched off. After a reload, a page then starts at its top.
  }
}

function store(): void {
  try {
    sessionStorage.setItem(STORED_AS, JSON.stringify([...spots]));
  } catch {
    // See above.
  }
}
