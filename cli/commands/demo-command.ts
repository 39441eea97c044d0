import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

export interface DemoCommandOptions extends GlobalOptions {
  fresh?: true;
  model?: string;
}

/** `demo`: what it does, on sample data in a folder of its own. */
export function addDemoCommand(program: Command): void {
  const command = program
    .command("demo")
    .summary("see what it does, on sample data")
    .description(
      "An agent answers written requests, then a file of feedback is processed: customers looked up, sentiment and categories " +
        "judged, everything stored, mails written to a folder. Needs no key and no server, and writes to nobody. " +
        "Run it twice: nothing is sent twice.",
    )
    .option("--fresh", "delete what earlier demos have left, and begin anew")
    .option("--model <name>", "let this language model answer instead of the offline one")
    .action(async (_options, command: Command) => {
      const { demo } = await import("./demo.ts");
      await demo(command.optsWithGlobals<DemoCommandOptions>());
    });
  addExamples(command, ["demo", "the first look"], ["demo --fresh", "from the beginning"]);
}
