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

/** So far behind a point a kill from outside may come: several steps of a run. Milliseconds. */
const LATEST_MS = 8;
/** A process that is to die at a point may pass so many others before it is killed from outside, or twice its share of them. */
const PATIENCE = 100;
/** The kills are spread over so much of the work: at its end a worker may find nothing but what the dead still hold. */
const KILLED_PART = 0.8;

/** The last of so many kills is at random: while there are points that have not had a turn, and afterwards. */
const FIRST_TURNS = 3;
const LATER_TURNS = 2;

/**
 * Runs a script, kills it with -9, starts it again, until it is done: by turns at a named point, that where it has died
 * least often, and at a random moment; until every point has had its turn two of three kills are for them. So twice as many kills
 * as there are points reach each of them, though a process may not come to one in time. The kills are spread over the first four
 * fifths of the work. Where several workers share it, the others go on while one is down, and a kill that comes too late for one,
 * because it is done, is for another.
 * @throws UnexpectedError where a process fails by itself or hangs
 */
export async function runWithKills(options: KillOptions): Promise<Kill[]> {
  const { undisturbed, onKill, workers = 1 } = options;
  const random = seededRandom(options.seed);
  const upTo = (limit: number): number => 1 + Math.floor(random() * Math.max(1, limit));
  const work = new Progress(undisturbed);
  const kills: Kill[] = [];
  /** Kills that have been, and those on their way to workers that live. */
  let planned = 0;
  /** Where living workers are to die. */
  const aims = new Map<number, string>();
  /** Points that have had their first turn. */
  const tried = new Set<string>();

  /**
   * What one process may do of the whole before it is killed: on the average its share of what is left before the last kill, as the
   * others work at the same time. Never more than is left, or the kill would come too late.
   */
  const shareOf = (left: number): number => {
    const part = Math.max(0, KILLED_PART - work.done) / workers;
    return Math.min(part, (2 * part) / left);
  };

  /** After so many points a process is killed from outside. */
  const atRandom = (share: number): Aim => ({ patience: upTo(share * work.total) });

  /** The next kill. The last one is the process's own: one from outside might come when the process has done all. */
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
          // The process that was to be killed is done, and was not.
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
        // Done before its time came: the kill is another's.
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
  /** Where it kills itself, and the how-many-eth time that it comes there. */
  at?: { point: string; nth: number };
  /** It is killed from outside after so many points, should it live as long. */
  patience: number;
}

const isNamed = ({ how }: Kill): boolean => how === "point";

/** So that every point has its turn, those as well that a process did not come to when it was theirs. */
function leastKilled(points: readonly string[], deaths: readonly string[]): string | undefined {
  const times = (point: string): number => deaths.filter((death) => death === point).length;
  return points.toSorted((a, b) => times(a) - times(b))[0];
}
