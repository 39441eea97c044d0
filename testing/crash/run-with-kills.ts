import { forEachWorker, runProcess, type CrashScript } from "./run-process.ts";
import { Progress } from "./progress.ts";
import { seededRandom } from "./random.ts";
import type { ReachedPoints } from "./run-undisturbed.ts";

/** What to run, and how often to kill it. */
export interface KillOptions extends CrashScript {
  /**
   * The points that the same script reached without kills, on as many items of the same kind: the
   * result of `runUndisturbed`. It shows which points there are, and how much work there is.
   */
  undisturbed: ReachedPoints;
  /** The number of kills, of all workers together. There are fewer if the work is done earlier. */
  kills: number;
  /**
   * Chooses points and moments. The same seed gives the same choices, but moments also depend on
   * the machine.
   */
  seed: number;
  /** Called after each kill. */
  onKill?: (kill: Kill, count: number) => void;
}

/** One kill with -9. */
export interface Kill {
  /**
   * `point`: the process killed itself there. `random`: it was killed from outside, a moment after
   * `point`.
   */
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
 * A process that should die at a certain point may pass this many points, or twice its share of the
 * work if that is more. Then it is killed from outside.
 */
const PATIENCE = 100;
/**
 * The kills are spread over this share of the work, not over all of it: at the very end, a worker
 * may only wait for runs that dead workers still hold.
 */
const KILLED_PART = 0.8;

/**
 * One kill in three is at a random moment while some points have not had their turn, and one in two
 * afterwards.
 */
const FIRST_TURNS = 3;
const LATER_TURNS = 2;

/**
 * Runs a script, kills it with -9 and starts it again until it is done. Some kills are at a named
 * point (the one where it has died least often), the others at random moments. Until every point
 * has had its turn, two kills in three are at points. So if there are twice as many kills as
 * points, the process dies at each point, unless it doesn't come to one in time. The kills are
 * spread over the first four fifths of the work. If several workers share it, the others continue
 * while one is down. If a worker is done before its kill, the kill passes to another worker.
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
  /** Points that have had their turn. */
  const tried = new Set<string>();

  /**
   * The most that one process may do before it is killed, as a share of the whole work. The kill
   * comes at a random moment before that, on average half way. So the kills that are left are
   * spread over this worker's part of the work that is left. The share is never more than that
   * part, or the kill would come too late.
   */
  const shareOf = (left: number): number => {
    const part = Math.max(0, KILLED_PART - work.done) / workers;
    return Math.min(part, (2 * part) / left);
  };

  /** Kills the process from outside, after a random number of points. */
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
          // Another worker was done before its kill, so this one gets it.
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
        // It was done before its kill. Another worker gets the kill.
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
  /** If it is still alive after this many points, it is killed from outside. */
  patience: number;
}

const isNamed = ({ how }: Kill): boolean => how === "point";

/** The point with the fewest deaths. So a point that a process has missed gets another turn. */
function leastKilled(points: readonly string[], deaths: readonly string[]): string | undefined {
  const times = (point: string): number => deaths.filter((death) => death === point).length;
  return points.toSorted((a, b) => times(a) - times(b))[0];
}
