import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `init`: creates a new project. */
export function addInitCommand(program: Command): void {
  const command = program
    .command("init")
    .summary("create a project of your own")
    .description(
      "Create a small project that runs at once: a workflow, its tests (one kills the process before and after " +
        "payments), an agent, and scripts to serve it. Needs no key. The folder must be new or empty; its name " +
        "becomes the project's name.",
    )
    .argument("<folder>", "the project's folder")
    .action(async (folder: string, _options, command: Command) => {
      const { init } = await import("./init.ts");
      init(folder, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(command, ["init my-workflows", "create it and see the next commands"]);
}
