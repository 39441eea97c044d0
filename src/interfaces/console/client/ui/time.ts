import { signal } from "@preact/signals";
import { html } from "../html.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const long = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** `<1 ms`, `320 ms`, `4.2 s`, `42 s`, `3 min`, `5.0 h`, `12 h`, `2.0 d`, `15 d`. */
export function duration(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < DAY) return `${(ms / HOUR).toFixed(ms < 10 * HOUR ? 1 : 0)} h`;
  return `${(ms / DAY).toFixed(ms < 10 * DAY ? 1 : 0)} d`;
}

/** Changes every half minute, so that times in minutes are drawn again. */
const ticks = signal(0);
setInterval(() => (ticks.value += 1), MINUTE / 2);

function brief(time: Date, isDayShown: boolean): string {
  const age = Date.now() - time.getTime();
  // Only for recent times: old ones hardly change, and a page may have thousands of them.
  if (age < HOUR) void ticks.value;
  if (Math.abs(age) < MINUTE) return "now";
  if (age > 0 && age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  return isDayShown || isSameDay(time, new Date()) ? clock.format(time) : short.format(time);
}

const isSameDay = (one: Date, other: Date): boolean => one.toDateString() === other.toDateString();

/** `Today`, `Yesterday`, or the date. */
export function dayOf(time: string): string {
  const date = new Date(time);
  const now = Date.now();
  if (isSameDay(date, new Date(now))) return "Today";
  return isSameDay(date, new Date(now - DAY)) ? "Yesterday" : long.format(date);
}

export const fullTime = (time: string): string => full.format(new Date(time));

interface TimeProps {
  at: string;
  isFull?: boolean;
  /** Whether the day is already shown above it. */
  isDayShown?: boolean;
}

/** A time in short form, or in full if `isFull`. Pointing at it always shows it in full. */
export const Time = ({ at, isFull = false, isDayShown = false }: TimeProps) => html`
  <time datetime=${at} title=${fullTime(at)}>${isFull ? fullTime(at) : brief(new Date(at), isDayShown)}</time>
`;
