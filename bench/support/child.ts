import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Role, Stats } from "../workers-process.ts";

/** A process of a benchmark, which reports when it is ready, and its statistics on request. */
export class Child {
  /** Its first message, once it is ready. */
  readonly ready: Promise<string>;
  readonly #process: ChildProcess;

  constructor(role: Role, args: readonly string[], env: Record<string, string>) {
    this.#process = fork(join(import.meta.dirname, "../workers-process.ts"), [role, ...args], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, ...env, NODE_NO_WARNINGS: "1" },
    });
    this.ready = this.#next<string>();
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async stats(): Promise<Stats> {
    this.#process.send("stats");
    return this.#next<Stats>();
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  async #next<Message>(): Promise<Message> {
    const end = new AbortController();
    const { signal } = end;
    try {
      const ended = once(this.#process, "exit", { signal }).then(() => {
        throw new Error("a process of the benchmark has ended unexpectedly");
      });
      const [message] = (await Promise.race([once(this.#process, "message", { signal }), ended])) as [Message];
      return message;
    } finally {
      end.abort();
    }
  }
}
