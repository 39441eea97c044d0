import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { addExamples, settingsFrom, usageError, type GlobalOptions } from "../../src/cli/command.ts";
import { interruptible } from "../../src/cli/interruption.ts";

interface DemoCommandOptions extends GlobalOptions {
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
      const options = command.optsWithGlobals<DemoCommandOptions>();
      const settings = settingsFrom(options);
      const { dataDirectory, openaiApiKey, openaiBaseUrl } = settings;
      if (dataDirectory === ":memory:") throw usageError("The demo keeps what it does: give it a folder with --data.");
      if (options.model !== undefined && openaiApiKey === undefined && openaiBaseUrl === undefined) {
        throw usageError("--model needs a service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.");
      }
      const directory = join(dataDirectory, "demo");
      if (options.fresh) await rm(directory, { recursive: true, force: true });
      const { runDemo } = await import("./demo/run-demo.ts");
      const { model } = options;
      const chatModel = model === undefined ? undefined : { openaiApiKey, openaiBaseUrl, openaiModel: model };
      const view = options.json
        ? (await import("./demo/json-view.ts")).jsonView(directory)
        : (await import("./demo/terminal-view.ts")).terminalView(directory, model);
      await interruptible((signal) => runDemo({ directory, signal, chatModel }, view));
    });
  addExamples(command, ["demo", "the first look"], ["demo --fresh", "from the beginning"]);
}
