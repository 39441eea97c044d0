import { live, type CrashScript } from "./life.ts";
import { seededRandom } from "./random.ts";
import type { ReachedPoints } from "./run-undisturbed.ts";

export interface KillOptions extends CrashScript {
  /** What a run of the same script on the same items reached without kills: tells the points, and how much work there is. */
  undisturbed: ReachedPoints;
  /** How often to kill; fewer where the work is done before. */
  kills: number;
  /** Chooses points and moments. The same seed gives the same choices; moments depend on the machine as well. */
  seed: number;
  /** After each kill. */
  onKill?: (kill: Kill, count: number) => void;
}

export interface Kill {
  /** `point`: the process killed itself there. `random`: it was killed from outside, a moment after `point`. */
  readonly how: "point" | "random";
  readonly point: string;
}

/** So far behind a point a kill from outside may come: several steps of a run. Milliseconds. */
const LATEST_MS = 8;
/** A process that is to die at a point may pass so many others before it is killed from outside, or twice its share of them. */
const PATIENCE = 100;

/**
 * Runs a script, kills it with -9, starts it again, until it is done: by turns at a named point, that where it has died
 * least often, and at a random moment. The kills are spread over the whole work.
 * @throws UnexpectedError where a process fails by itself or hangs
 */
export async function runWithKills(options: KillOptions): Promise<Kill[]> {
  const { undisturbed, onKill } = options;
  const random = seededRandom(options.seed);
  const upTo = (limit: number): number => 1 + Math.floor(random() * Math.max(1, limit));
  const work = new Progress(undisturbed);
  const kills: Kill[] = [];
  let acknowledged = 0;

  for (;;) {
    const left = options.kills - kills.length;
    // What one process may do of the whole: on the average its share of what is left.
    const share = (2 * (1 - work.done)) / Math.max(1, left);
    const target = left > 0 && kills.length % 2 === 0 ? leastKilled(undisturbed, kills) : undefined;
    const at = target && { point: target, nth: upTo(share * (undisturbed.get(target) ?? 0)) };
    let patience = at ? Math.max(PATIENCE, 2 * share * work.total) : upTo(share * work.total);
    if (left === 0) patience = Infinity;
    let last = "";
    let doomed = false;
    const life = await live(options, { acknowledged, ...at }, (reached, kill) => {
      last = reached;
      work.note(reached);
      patience -= 1;
      if (patience > 0 || doomed) return;
      doomed = true;
      setTimeout(kill, random() * LATEST_MS);
    });
    acknowledged = life.acknowledged;
    if (!life.killed) return kills;
    const kill: Kill = !doomed && last === target ? { how: "point", point: last } : { how: "random", point: last };
    kills.push(kill);
    onKill?.(kill, kills.length);
  }
}

/** How much of the work is done, told by the points reached. */
class Progress {
  readonly total: number;
  readonly #expected: ReachedPoints;
  readonly #reached = new Map<string, number>();

  constructor(expected: ReachedPoints) {
    this.#expected = expected;
    this.total = [...expected.values()].reduce((sum, count) => sum + count, 0);
  }

  note(point: string): void {
    this.#reached.set(point, (this.#reached.get(point) ?? 0) + 1);
  }

  /** Between 0 and 1, each kind of point counting as much as the others: what is done again takes one past its measure, not all. */
  get done(): number {
    const parts = [...this.#expected].map(([point, count]) => Math.min(1, (this.#reached.get(point) ?? 0) / count));
    return parts.reduce((sum, part) => sum + part, 0) / Math.max(1, parts.length);
  }
}

/** So that every point has its turn, those as well that a process did not come to when it was theirs. */
function leastKilled(points: ReachedPoints, kills: readonly Kill[]): string | undefined {
  const times = (point: string): number => kills.filter((kill) => kill.how === "point" && kill.point === point).length;
  return [...points.keys()].sort().sort((a, b) => times(a) - times(b))[0];
}
