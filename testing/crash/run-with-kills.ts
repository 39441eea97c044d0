import { forEachWorker, runProcess, type CrashScript } from "./run-process.ts";
import { Progress } from "./progress.ts";
import { seededRandom } from "./random.ts";
import type { ReachedPoints } from "./run-undisturbed.ts";

/** What to run, and how often to kill it. */
export interface KillOptions extends CrashScript {
  /**
   * The points that the same script reached on the same items without kills. It shows which points
   * there are, and how much work.
   */
  undisturbed: ReachedPoints;
  /** How many kills in total, for all workers; fewer if the work is done earlier. */
  kills: number;
  /** Chooses points and moments. The same seed gives the same choices; moments depend on the machine as well. */
  seed: number;
  /** After each kill. */
  onKill?: (kill: Kill, count: number) => void;
}

/** One kill with -9. */
export interface Kill {
  /** `point`: the process killed itself there. `random`: it was killed from outside, a moment after `point`. */
  readonly how: "point" | "random";
  readonly point: string;
  /** Which of the workers, from 0. */
  readonly worker: number;
}

/**
 * A kill from outside comes at most this long after a point, which is several steps of a run.
 * Milliseconds.
 */
const LATEST_MS = 8;
/**
 * A process that should die at a point may pass this many other points, or twice its share of them,
 * before it is killed from outside.
 */
const PATIENCE = 100;
/**
 * The share of the work over which the kills are spread: at the very end, a worker may have nothing
 * left except what dead ones still hold.
 */
const KILLED_PART = 0.8;

/**
 * One kill in this many is at random: first while some points have not had their turn, then
 * afterwards.
 */
const FIRST_TURNS = 3;
const LATER_TURNS = 2;

/**
 * Runs a script, kills it with -9 and starts it again until it is done. Kills alternate between a
 * named point (the one where it has died least often) and a random moment. Until every point has
 * had its turn, two kills in three are at points, so twice as many kills as there are points reach
 * each of them, unless a process does not come to one in time. The kills are spread over the first
 * four fifths of the work. If several workers share it, the others continue while one is down, and
 * a kill that comes too late for one, because it is done, is passed to another.
 * @throws UnexpectedError if a process fails without being killed, or hangs
 */
export async function runWithKills(options: KillOptions): Promise<Kill[]> {
  const { undisturbed, onKill, workers = 1 } = options;
  const random = seededRandom(options.seed);
  const upTo = (limit: number): number => 1 + Math.floor(random() * Math.max(1, limit));
  const work = new Progress(undisturbed);
  const kills: Kill[] = [];
  /** Kills done, and kills planned for running workers. */
  let planned = 0;
  /** The points at which running workers should die. */
  const aims = new Map<number, string>();
  /** Points that have had their first turn. */
  const tried = new Set<string>();

  /**
   * The share of the work that one process may do before it is killed: on average, its part of the
   * work before the last kill, as the others run at the same time. Never more than what is left, or
   * the kill would come too late.
   */
  const shareOf = (left: number): number => {
    const part = Math.max(0, KILLED_PART - work.done) / workers;
    return Math.min(part, (2 * part) / left);
  };

  /** The process is killed from outside after a random number of points. */
  const atRandom = (share: number): Aim => ({ patience: upTo(share * work.total) });

  /**
   * Plans the next kill. The last one must be at a point: a kill from outside might come after all
   * work is done.
   */
  const nextAim = (worker: number): Aim => {
    const left = options.kills - planned;
    if (left === 0) return { patience: Infinity };
    const share = shareOf(left);
    const ahead = work.ahead();
    const untried = ahead.filter((point) => !tried.has(point));
    const turns = untried.length > 0 ? FIRST_TURNS : LATER_TURNS;
    planned += 1;
    if (left > 1 && (planned - 1) % turns === turns - 1) return atRandom(share);
    const target = leastKilled(untried.length > 0 ? untried : ahead, [
      ...kills.filter(isNamed).map(({ point }) => point),
      ...aims.values(),
    ]);
    if (target === undefined) return atRandom(share);
    aims.set(worker, target);
    tried.add(target);
    const nth = upTo(share * (undisturbed.get(target) ?? 0));
    return { at: { point: target, nth }, patience: Math.max(PATIENCE, 2 * share * work.total) };
  };

  await forEachWorker(options, async (place, signal) => {
    let acknowledged = 0;
    for (;;) {
      let aim = nextAim(place.worker);
      let last = "";
      let doomed = false;
      const onReached = (reached: string, kill: () => void): void => {
        last = reached;
        work.note(reached);
        if (aim.patience === Infinity && planned < options.kills) {
          // The process that should have been killed has finished without it.
          aim = atRandom(shareOf(options.kills - planned));
          planned += 1;
        }
        aim.patience -= 1;
        if (aim.patience > 0 || doomed) return;
        doomed = true;
        setTimeout(kill, random() * LATEST_MS);
      };
      const life = await runProcess(options, { acknowledged, ...place, ...aim.at }, onReached, signal);
      aims.delete(place.worker);
      acknowledged = life.acknowledged;
      if (!life.killed) {
        // It finished before its kill, which is left to another.
        if (aim.patience < Infinity) planned -= 1;
        return;
      }
      const kill: Kill = {
        how: !doomed && last === aim.at?.point ? "point" : "random",
        point: last,
        worker: place.worker,
      };
      kills.push(kill);
      onKill?.(kill, kills.length);
    }
  });
  return kills;
}

/** When a process is to die. */
interface Aim {
  /** Where it kills itself, and at which visit of that point. */
  at?: { point: string; nth: number };
  /** It is killed from outside after this many points, if it lives that long. */
  patience: number;
}

const isNamed = ({ how }: Kill): boolean => how === "point";

/** Gives every point its turn, including points that a process missed on theirs. */
function leastKilled(points: readonly string[], deaths: readonly string[]): string | undefined {
  const times = (point: string): number => deaths.filter((death) => death === point).length;
  return points.toSorted((a, b) => times(a) - times(b))[0];
}
