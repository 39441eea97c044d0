import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

export interface DemoCommandOptions extends GlobalOptions {
  fresh?: true;
  model?: string;
}

/** `demo`: the workflow and an agent at work, on sample data in a folder of its own. */
export function addDemoCommand(program: Command): void {
  const command = program
    .command("demo")
    .summary("see the workflow and an agent at work on sample data")
    .description(
      "An agent handles a few scripted requests. Then a file of feedback is processed: customers are looked up, " +
        "texts are analysed, everything is stored, and emails are written to a folder. Needs no key and no server, " +
        "and sends no email. Run it twice: no email is written twice.",
    )
    .option("--fresh", "delete the data of earlier demos, and start over")
    .option("--model <name>", "use this language model instead of the offline one")
    .action(async (_options, command: Command) => {
      const { demo } = await import("./demo.ts");
      await demo(command.optsWithGlobals<DemoCommandOptions>());
    });
  addExamples(command, ["demo", "take a first look"], ["demo --fresh", "start over"]);
}
