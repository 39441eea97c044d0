/** How many requests a caller may send. Counted in this process, in windows of a minute. */

/** What a request was answered. */
export interface Allowance {
  readonly isAllowed: boolean;
  readonly remaining: number;
  /** Until the window ends. Seconds, at least 1. */
  readonly resetSeconds: number;
}

interface Window {
  count: number;
  endsAt: number;
}

const WINDOW_SECONDS = 60;
/** More callers than this are not told apart one by one for long: the table is emptied of those whose window has ended. */
const MAX_CALLERS = 10_000;

/** Counts the requests of each caller. */
export class RateLimit {
  readonly limit: number;
  readonly #clock: () => number;
  readonly #windows = new Map<string, Window>();

  /**
   * @param limit requests a minute of each caller
   * @param clock milliseconds
   */
  constructor(limit: number, clock: () => number = () => performance.now()) {
    this.limit = limit;
    this.#clock = clock;
  }

  /** Counts one request. */
  take(caller: string): Allowance {
    const now = this.#clock();
    const window = this.#window(caller, now);
    window.count += 1;
    return {
      isAllowed: window.count <= this.limit,
      remaining: Math.max(0, this.limit - window.count),
      resetSeconds: Math.max(1, Math.ceil((window.endsAt - now) / 1000)),
    };
  }

  #window(caller: string, now: number): Window {
    const known = this.#windows.get(caller);
    if (known && known.endsAt > now) return known;
    if (this.#windows.size >= MAX_CALLERS) this.#tidy(now);
    const window = { count: 0, endsAt: now + WINDOW_SECONDS * 1000 };
    this.#windows.set(caller, window);
    return window;
  }

  #tidy(now: number): void {
    for (const [caller, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(caller);
    // An attacker with many addresses must not fill the memory.
    if (this.#windows.size >= MAX_CALLERS) this.#windows.clear();
  }
}

/** The headers of draft-ietf-httpapi-ratelimit-headers. */
export const rateLimitHeaders = (
  limit: number,
  { remaining, resetSeconds }: Allowance,
): { "ratelimit-policy": string; ratelimit: string } => ({
  "ratelimit-policy": `"default";q=${limit};w=${WINDOW_SECONDS}`,
  ratelimit: `"default";r=${remaining};t=${resetSeconds}`,
});
