/** Resource usage of processes, as Linux reports it in /proc; zero on other systems. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Usage {
  /** Processor time in milliseconds, including ended children. */
  processor: number;
  /** Bytes written to disk. */
  written: number;
}

const TICK_MS = 10;

export function usageOf(pids: readonly number[]): Usage {
  const usage: Usage = { processor: 0, written: 0 };
  for (const pid of pids) {
    const [ticks, written] = [ticksOf(pid), /^write_bytes: (\d+)/m.exec(contentOf(`/proc/${pid}/io`))?.[1]];
    usage.processor += ticks * TICK_MS;
    usage.written += Number(written ?? 0);
  }
  return usage;
}

/** A process and its children. */
export function familyOf(pid: number): number[] {
  if (!existsSync("/proc/self/stat")) return [];
  const isChild = (name: string): boolean => /^\d+$/.test(name) && statOf(Number(name))[1] === String(pid);
  return [pid, ...readdirSync("/proc").filter(isChild).map(Number)];
}

export const parentOf = (pid: number): number => Number(statOf(pid)[1] ?? 0);

/**
 * How long the cores were busy, summed over all cores and all processes of the machine.
 * Milliseconds.
 */
export function machineMs(): number {
  const [user, nice, system, , , irq, softIrq] = contentOf("/proc/stat").split(/\s+/).slice(1).map(Number);
  return user === undefined ? 0 : (user + nice! + system! + irq! + softIrq!) * TICK_MS;
}

/** Bytes of all files in a folder. */
export function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const ticksOf = (pid: number): number =>
  statOf(pid)
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks), 0);

/** The fields of proc_pid_stat(5) from the third on. */
const statOf = (pid: number): string[] => contentOf(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended in the meantime, or belongs to another user.
    return "";
  }
}
