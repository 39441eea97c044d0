import type { Command } from "commander";
import { addExamples } from "../command.ts";
import type { ServeOptions } from "./serve-command.ts";

export interface DevOptions extends Omit<ServeOptions, "demo"> {
  /** False with `--no-open`. */
  open: boolean;
}

/** `dev`: `serve` while its workflows are being written. */
export function addDevCommand(program: Command): void {
  const command = program
    .command("dev")
    .summary("serve your workflows while you write them")
    .description(
      "Serve as `serve` does, and start again whenever you change a source that your workflows import. Runs that are not finished go " +
        "on after the restart, and you stay signed in. Opens the console in your browser, but not in CI or without a terminal.",
    )
    .option("--host <address>", "where to listen (default: HTTP_HOST, or 127.0.0.1)")
    .option("--port <number>", "where to listen, 0 for any that is free (default: HTTP_PORT, or 8008)")
    .option("--no-open", "don't open the console in a browser; so does BROWSER=none")
    .action(async (_options, command: Command) => {
      const { dev } = await import("./dev.ts");
      await dev(command.optsWithGlobals<DevOptions>());
    });
  addExamples(command, ["dev --workflows src/workflows.ts", "the workflows of a project"]);
}
