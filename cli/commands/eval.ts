import { existsSync } from "node:fs";
import { access, constants, open, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import {
  contestantOf,
  costlyContestant,
  guideContestant,
  libraryContestant,
  type Contestant,
} from "../../evaluation/contestants.ts";
import { evaluate, isSilent } from "../../evaluation/evaluate.ts";
import type { Evaluation } from "../../evaluation/evaluation-page.ts";
import { readLabelledSets } from "../../evaluation/labelled-sets.ts";
import { isForThisVersion } from "../../src/analysis/embedded/trained-weights.ts";
import { openAnalyzers, openTrainedWeights } from "../../src/application/parts.ts";
import { PRIVATE_FILE } from "../../src/files/private-files.ts";
import { namesModel, type Settings } from "../../src/application/settings.ts";
import { usageError } from "../command.ts";
import type { AnalyzerName, EvalOptions } from "./eval-command.ts";
import { evaluationText } from "./eval-view.ts";
import { host, resolvedPath } from "../terminal/host.ts";
import { INTERRUPTED, INTERRUPTED_EXIT_CODE, interruptible } from "../terminal/interruption.ts";
import { printError, note, oneLine, print, printJson } from "../terminal/output.ts";
import { orUnwritable } from "../terminal/output-file.ts";
import { createProgress } from "../terminal/progress.ts";
import { settingsFrom } from "../settings.ts";

const TRAINED_ON =
  "The embedded analysers were made with public sets that docs/text-analysis.md lists, so their figures on those sets are too good.";

const TRAINED_FOR_ANOTHER =
  'The weights that were trained here belong to another version of this package: embedded is as shipped. Run "abi-workflows train" again.';

const PAGE = "The page";

export async function evaluateFolder(folder: string, options: EvalOptions): Promise<void> {
  try {
    await interruptible((signal) => run(folder, options, signal));
  } catch (error) {
    if (error !== INTERRUPTED) throw error;
    note("Stopped. Nothing was stored: the same command starts over.");
    host().exitCode = INTERRUPTED_EXIT_CODE;
  }
}

async function run(
  folder: string,
  { analyzer, html, version, ...options }: EvalOptions,
  signal: AbortSignal,
): Promise<void> {
  const settings = settingsFrom(options);
  if (analyzer.includes("chat-model") && !namesModel(settings)) {
    throw usageError("chat-model needs a model service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.");
  }
  const sets = await readLabelledSets(resolvedPath(folder));
  // First check that the page can be written, because the evaluation may take long and cost money.
  if (html !== undefined) await orUnwritable(PAGE, html, requireWritable(resolvedPath(html)));
  const contestants = await Promise.all([...new Set(analyzer)].map((name) => contestant(name, settings)));
  const progress = await createProgress("Judging");
  try {
    const onProgress = (name: string, set: string, share: number): void => progress.update(`${name}: ${set}`, share);
    const analyzers = await evaluate(sets, contestants, { signal, onProgress });
    progress.stop();
    const evaluation: Evaluation = {
      date: new Date().toISOString().slice(0, "2026-11-22".length),
      version,
      folder: basename(resolve(resolvedPath(folder))),
      ...(analyzer.some((name) => name === "embedded" || name === "shipped") && { caveat: TRAINED_ON }),
      analyzers,
    };
    if (options.json) printJson(evaluation);
    else print(evaluationText(analyzers));
    if (evaluation.caveat !== undefined) note(evaluation.caveat);
    if (html !== undefined) {
      const { evaluationPage } = await import("../../evaluation/evaluation-page.ts");
      await orUnwritable(PAGE, html, writeFile(resolvedPath(html), evaluationPage(evaluation), { mode: PRIVATE_FILE }));
      note(oneLine(`The page is in ${html}`));
    }
    for (const { name } of analyzers.filter(isSilent)) {
      printError(`${name} answered nothing itself, so there are no figures for it.`);
      host().exitCode = 1;
    }
  } finally {
    progress.stop();
  }
}

/** Leaves nothing behind, because the evaluation may be stopped. */
async function requireWritable(path: string): Promise<void> {
  if (existsSync(path)) return (await open(path, "r+")).close();
  await access(dirname(path), constants.W_OK);
}

async function contestant(name: AnalyzerName, settings: Settings): Promise<Contestant> {
  if (name === "guide") return guideContestant;
  if (name === "shipped") return contestantOf(name, await openAnalyzers({ ...settings, analyzer: "embedded" }));
  if (name !== "embedded" && name !== "chat-model") return libraryContestant(name);
  const trained = await openTrainedWeights(settings);
  if (name === "embedded" && trained && !isForThisVersion(trained)) note(TRAINED_FOR_ANOTHER);
  const analyzers = await openAnalyzers({ ...settings, analyzer: name }, trained);
  return name === "embedded"
    ? contestantOf(name, analyzers)
    : costlyContestant(name, analyzers, settings.maxParallelRequests);
}
