/** What runner and process say to each other: orders as arguments, news over Node's channel between processes. */

export interface CrashOrders {
  /** Items that earlier processes have acknowledged. */
  readonly acknowledged: number;
  /** Die when this point is reached for the `nth` time. */
  readonly point?: string;
  readonly nth?: number;
}

export type CrashMessage = { readonly reached: string } | { readonly acknowledged: number };

const ACKNOWLEDGED = "--acknowledged=";
const CRASH_AT = "--crash-at=";

/** `--acknowledged=12 --crash-at=after:mail.send#3` */
export const writeOrders = ({ acknowledged, point, nth }: CrashOrders): string[] => [
  `${ACKNOWLEDGED}${acknowledged}`,
  ...(point === undefined ? [] : [`${CRASH_AT}${point}#${nth}`]),
];

/** The last of each kind: what stands before is the script's own. */
export function readOrders(args: readonly string[]): CrashOrders {
  const last = (prefix: string): string | undefined =>
    args.findLast((argument) => argument.startsWith(prefix))?.slice(prefix.length);
  const acknowledged = Number(last(ACKNOWLEDGED) ?? 0);
  const [, point, nth] = /^(.+)#(\d+)$/.exec(last(CRASH_AT) ?? "") ?? [];
  return { acknowledged, ...(point === undefined ? {} : { point, nth: Number(nth) }) };
}
