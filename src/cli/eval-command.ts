import { open, writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Contestant } from "../analysis/evaluation/contestants.ts";
import type { Evaluation } from "../analysis/evaluation/evaluation-page.ts";
import { IoError } from "../errors.ts";
import { PRIVATE_FILE } from "../private-files.ts";
import type { Settings } from "../settings.ts";
import { addExamples, settingsFrom, usageError, type GlobalOptions } from "./command.ts";
import { evaluationText } from "./eval-view.ts";
import { host, located } from "./host.ts";
import { INTERRUPTED, INTERRUPTED_EXIT_CODE, interruptible } from "./interruption.ts";
import { complain, note, oneLine, print, printJson } from "./output.ts";
import { createProgress } from "./progress.ts";

const ANALYZERS = ["guide", "vader", "afinn", "wink", "embedded", "chat-model"] as const;

const TRAINED_ON =
  "The embedded analysers were made with public sets that docs/text-analysis.md lists: on those their figures are too good.";

interface EvalOptions extends GlobalOptions {
  analyzer: (typeof ANALYZERS)[number][];
  html?: string;
  /** Of this package. */
  version: string;
}

/** `eval`: how right analysers are, on texts that people have labelled. */
export function addEvalCommand(program: Command): void {
  const command = program
    .command("eval")
    .summary("measure text analysers on labelled texts")
    .description(
      'Let analysers judge labelled texts, and say how often they are right. The folder has sentiment/*.jsonl with {"text", ' +
        '"label"} and categories/*.jsonl with {"text", "labels", "scope"} a line; scope lists the categories that the set is ' +
        "about. chat-model asks the service of OPENAI_API_KEY or OPENAI_BASE_URL about every text.",
    )
    .argument("<folder>", "the labelled texts")
    .addOption(
      new Option("--analyzer <names...>", "which ones, side by side").choices(ANALYZERS).default(["guide", "embedded"]),
    )
    .option("--html <file>", "write a page with bars and the worst mistakes to read")
    .action(async (folder: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Omit<EvalOptions, "version">>();
      try {
        await interruptible((signal) => run(folder, { ...options, version: program.version() ?? "" }, signal));
      } catch (error) {
        if (error !== INTERRUPTED) throw error;
        note("Stopped. Nothing of it is kept: the same command begins anew.");
        host().exitCode = INTERRUPTED_EXIT_CODE;
      }
    });
  addExamples(
    command,
    ["eval texts", "the embedded analysers beside the simplest thing that could be done"],
    ["eval texts --analyzer vader embedded chat-model --html report.html", "side by side, with a page to read"],
    ["eval texts --json | jq '.analyzers[] | {name, mean: .sentiment.mean}'", "figures for machines"],
  );
}

async function run(
  folder: string,
  { analyzer, html, version, ...options }: EvalOptions,
  signal: AbortSignal,
): Promise<void> {
  const settings = settingsFrom(options);
  if (analyzer.includes("chat-model") && settings.openaiApiKey === undefined && settings.openaiBaseUrl === undefined) {
    throw usageError("chat-model needs a service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.");
  }
  const { readLabelledSets } = await import("../analysis/evaluation/labelled-sets.ts");
  const { evaluate, isSilent } = await import("../analysis/evaluation/evaluate.ts");
  const sets = await readLabelledSets(located(folder));
  // Before any work, for it may take long and cost money.
  if (html !== undefined)
    await orUnwritable(
      html,
      open(located(html), "a", PRIVATE_FILE).then((file) => file.close()),
    );
  const contestants = await Promise.all([...new Set(analyzer)].map((name) => contestant(name, settings)));
  const progress = createProgress("Judging");
  try {
    const onProgress = (name: string, set: string, share: number): void => progress.update(`${name}: ${set}`, share);
    const analyzers = await evaluate(sets, contestants, { signal, onProgress });
    progress.stop();
    const evaluation: Evaluation = {
      date: new Date().toISOString().slice(0, "2026-11-22".length),
      version,
      folder: basename(resolve(located(folder))),
      ...(analyzer.includes("embedded") && { caveat: TRAINED_ON }),
      analyzers,
    };
    if (options.json) printJson(evaluation);
    else print(evaluationText(analyzers));
    if (evaluation.caveat !== undefined) note(evaluation.caveat);
    if (html !== undefined) {
      const { evaluationPage } = await import("../analysis/evaluation/evaluation-page.ts");
      await orUnwritable(html, writeFile(located(html), evaluationPage(evaluation), { mode: PRIVATE_FILE }));
      note(oneLine(`The page is in ${html}`));
    }
    for (const { name } of analyzers.filter(isSilent)) {
      complain(`${name} answered nothing itself, so there are no figures for it.`);
      host().exitCode = 1;
    }
  } finally {
    progress.stop();
  }
}

async function orUnwritable<Result>(file: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    throw new IoError(`The page can't be written to ${file}. Check the name and its folder.`, {
      code: "file_unwritable",
      cause,
    });
  }
}

async function contestant(name: (typeof ANALYZERS)[number], settings: Settings): Promise<Contestant> {
  const { contestantOf, costlyContestant, guideContestant, libraryContestant } =
    await import("../analysis/evaluation/contestants.ts");
  if (name === "guide") return guideContestant;
  if (name !== "embedded" && name !== "chat-model") return libraryContestant(name);
  const { openAnalyzers } = await import("../application.ts");
  const analyzers = await openAnalyzers({ ...settings, analyzer: name });
  return name === "embedded"
    ? contestantOf(name, analyzers)
    : costlyContestant(name, analyzers, settings.maxParallelRequests);
}
