/**
 * The protocol between the runner and the process to kill: orders are command-line arguments, and
 * reports are messages on Node.js's IPC channel.
 */

export interface CrashOrders {
  /** Items that earlier processes with this worker number have acknowledged. */
  readonly acknowledged: number;
  /** The number of this process among those that share the work, from 0. */
  readonly worker: number;
  /** How many processes share the work. */
  readonly workers: number;
  /** Die when this point is reached for the `nth` time. */
  readonly point?: string;
  readonly nth?: number;
}

export type CrashMessage = { readonly reached: string } | { readonly acknowledged: number };

const ACKNOWLEDGED = "--acknowledged=";
const WORKER = "--worker=";
const CRASH_AT = "--crash-at=";

/** `--acknowledged=12 --worker=0/2 --crash-at=after:mail.send#3` */
export const writeOrders = ({ acknowledged, worker, workers, point, nth }: CrashOrders): string[] => [
  `${ACKNOWLEDGED}${acknowledged}`,
  `${WORKER}${worker}/${workers}`,
  ...(point === undefined ? [] : [`${CRASH_AT}${point}#${nth}`]),
];

/** Reads the last argument of each kind: earlier ones belong to the script. */
export function readOrders(args: readonly string[]): CrashOrders {
  const last = (prefix: string): string =>
    args.findLast((argument) => argument.startsWith(prefix))?.slice(prefix.length) ?? "";
  const [, worker = 0, workers = 1] = /^(\d+)\/(\d+)$/.exec(last(WORKER)) ?? [];
  const [, point, nth] = /^(.+)#(\d+)$/.exec(last(CRASH_AT)) ?? [];
  return {
    acknowledged: Number(last(ACKNOWLEDGED)),
    worker: Number(worker),
    workers: Number(workers),
    ...(point !== undefined && { point, nth: Number(nth) }),
  };
}
