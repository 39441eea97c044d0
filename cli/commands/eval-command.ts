import { type Command, Option } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

const ANALYZERS = ["guide", "vader", "afinn", "wink", "shipped", "embedded", "chat-model"] as const;

export type AnalyzerName = (typeof ANALYZERS)[number];

export interface EvalOptions extends GlobalOptions {
  analyzer: AnalyzerName[];
  html?: string;
  /** Version of this package. */
  version: string;
}

/** `eval`: measures how often analysers are right, on texts that people have labelled. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command("eval")
    .summary("measure text analysers on labelled texts")
    .description(
      "Run analysers on labelled texts, and print how accurate they are. The folder has sentiment/*.jsonl " +
        'with {"text", "label"} and categories/*.jsonl with {"text", "labels", "scope"} in each line; scope lists ' +
        "the categories that the set is about. guide is a minimal baseline. embedded is the analyser that the " +
        "workflow uses by default, with your training; shipped is the same without it. vader, afinn and wink are " +
        "libraries, to be installed first: npm install vader-sentiment sentiment wink-sentiment. chat-model sends " +
        "every text to the service set with OPENAI_API_KEY or OPENAI_BASE_URL.",
    )
    .argument("<folder>", "the labelled texts")
    .addOption(
      new Option("--analyzer <names...>", "which analysers to compare")
        .choices(ANALYZERS)
        .default(["guide", "embedded"]),
    )
    .option("--html <file>", "write a page with charts and the worst mistakes")
    .action(async (folder: string, _options, command: Command) => {
      const { evaluateFolder } = await import("./eval.ts");
      await evaluateFolder(folder, {
        ...command.optsWithGlobals<Omit<EvalOptions, "version">>(),
        version: program.version() ?? "",
      });
    });
  addExamples(
    command,
    ["eval texts", "compare the embedded analysers with a minimal baseline"],
    ["eval texts --analyzer shipped embedded --html report.html", "see what your training has changed; write a page"],
    ["eval texts --json | jq '.analyzers[] | {name, mean: .sentiment.mean}'", "get the figures as JSON"],
  );
}
