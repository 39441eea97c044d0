/** The format of a length of time in settings: `30s`, `15m`, `1h`, `2d`, or `0`. */
export const DURATION: RegExp = /^(?:0|\d{1,6}[smhd])$/;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @param duration one that matches `DURATION` */
export const toMilliseconds = (duration: string): number => parseInt(duration, 10) * (UNIT_MS[duration.slice(-1)] ?? 0);
