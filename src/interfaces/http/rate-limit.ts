/**
 * Limits how many requests a caller may send. Requests are counted in this process, in windows of a
 * minute.
 */
import { isIPv6 } from "node:net";

/** Whether a request is allowed, and what its caller has left. */
export interface Allowance {
  readonly isAllowed: boolean;
  readonly remaining: number;
  /** Seconds until the window ends, and counting starts again; at least 1. */
  readonly resetSeconds: number;
}

interface Window {
  count: number;
  endsAt: number;
}

const WINDOW_SECONDS = 60;
/** If this many callers are remembered, those whose window has ended are forgotten. */
const MAX_CALLERS = 10_000;

const BY_ADDRESS = "address ";

/**
 * The name under which a caller without a token is counted: the IPv4 address, or the /64 network of
 * an IPv6 address.
 */
export function callerAt(address: string): string {
  if (!isIPv6(address)) return BY_ADDRESS + address;
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return BY_ADDRESS + mapped;
  const [head = "", tail] = address.replace(/%.*/, "").split("::");
  const [first, last] = [head, tail ?? ""].map((part) => (part === "" ? [] : part.split(":")));
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first!.length - last!.length)).fill("0");
  return `${BY_ADDRESS}${[...first!, ...zeros, ...last!].slice(0, 4).join(":")}::/64`;
}

/** Counts the requests of each caller. */
export class RateLimit {
  readonly limit: number;
  readonly #clock: () => number;
  readonly #windows = new Map<string, Window>();

  /**
   * @param limit requests a minute for each caller
   * @param clock returns milliseconds
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
    if (this.#windows.size < MAX_CALLERS) return;
    // An attacker with many addresses must not fill the memory. So all addresses are forgotten, but
    // no tokens: the attack must not reset their counts.
    for (const caller of this.#windows.keys()) if (caller.startsWith(BY_ADDRESS)) this.#windows.delete(caller);
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
