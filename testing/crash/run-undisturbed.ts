import { forEachWorker, runProcess, type CrashScript } from "./run-process.ts";

/** For each point, how often it was reached. */
export type ReachedPoints = ReadonlyMap<string, number>;

/**
 * Runs a script to its end without killing it, and returns which points there are and how often
 * each is reached.
 * @throws UnexpectedError if its exit code is not 0, or it hangs
 */
export async function runUndisturbed(script: CrashScript): Promise<ReachedPoints> {
  const reached = new Map<string, number>();
  const count = (point: string): void => void reached.set(point, (reached.get(point) ?? 0) + 1);
  await forEachWorker(script, async (place, signal) => {
    await runProcess(script, { acknowledged: 0, ...place }, count, signal);
  });
  return reached;
}
