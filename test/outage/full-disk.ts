import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A small in-memory disk. */
export interface SmallDisk {
  readonly folder: string;
  /** Uses up all remaining space. */
  fill(): void;
  /** Frees that space. */
  free(): void;
}

/** Whether a disk can be mounted on this machine. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-disk-"));
  try {
    mount(folder);
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two megabytes, removed after the test: close all files on it first. */
export function smallDisk(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-disk-"));
  mount(folder);
  onTestFinished(() => {
    unmount(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: () => {
      for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
        while (append(ballast, size)) continue;
      }
    },
    free: () => rmSync(ballast, { force: true }),
  };
}

const mount = (folder: string): Buffer =>
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "pipe" });

// Lazy: if a test fails with files open, the disk is unmounted when they are closed.
const unmount = (folder: string): Buffer => execFileSync("umount", ["--lazy", folder], { stdio: "pipe" });

function append(file: string, size: number): boolean {
  try {
    appendFileSync(file, Buffer.alloc(size));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
