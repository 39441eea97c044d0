import type { Command } from "commander";
import { addExamples } from "../command.ts";
import type { ServeOptions } from "./serve-command.ts";

export interface DevOptions extends Omit<ServeOptions, "demo"> {
  /** False with `--no-open`. */
  open: boolean;
}

/** `dev`: `serve` that restarts when its workflows change. */
export function addDevCommand(program: Command): void {
  const command = program
    .command("dev")
    .summary("serve your workflows while you write them")
    .description(
      "Do the same as `serve`, and restart whenever you change a source file that your workflows import. " +
        "Unfinished runs continue after the restart, and you stay signed in. Opens the console in your browser, but " +
        "not in CI, on a remote machine or without a terminal.",
    )
    .option("--host <address>", "address to listen on (default: HTTP_HOST, or 127.0.0.1)")
    .option("--port <number>", "port to listen on, or 0 for any free one (default: HTTP_PORT, or 8008)")
    .option("--no-open", "don't open the console in a browser (or set BROWSER=none)")
    .action(async (_options, command: Command) => {
      const { dev } = await import("./dev.ts");
      await dev(command.optsWithGlobals<DevOptions>());
    });
  addExamples(command, ["dev --workflows src/workflows.ts", "the workflows of a project"]);
}
