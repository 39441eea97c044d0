import { rmSync } from "node:fs";
import {
  readTrainedWeights,
  TRAINED_WEIGHTS_FILE,
  versionOf,
} from "../../src/analysis/embedded/read-trained-weights.ts";
import { BASE_VERSIONS, isForThisVersion, type TrainedWeights } from "../../src/analysis/embedded/trained-weights.ts";
import { IoError } from "../../src/errors.ts";
import { usageError } from "../command.ts";
import { host, resolvedPath } from "../terminal/host.ts";
import { note, print, printJson } from "../terminal/output.ts";
import { requireDataDirectory, settingsFrom } from "../settings.ts";
import { dataFile } from "../../src/application/parts.ts";
import { makePrivateFolder, replacePrivateFile } from "../../src/files/private-files.ts";
import { IN_MEMORY, type Settings } from "../../src/application/settings.ts";
import { readLabelledSets } from "../../evaluation/labelled-sets.ts";
import { trainOwn } from "../../evaluation/training/train-own.ts";
import type { TrainOptions } from "./train-command.ts";
import { trainingText } from "./train-view.ts";

/** Trains on a folder of labelled texts, and stores what is better than before. */
export async function trainOnFolder(folder: string, options: TrainOptions): Promise<void> {
  const settings = settingsWithFolder(options);
  const sets = await readLabelledSets(resolvedPath(folder));
  const current = weightsInUse(settings);
  const { fits, isTaken, ...training } = trainOwn(sets, settings.thankAbove, current);
  const { kept, texts } = training;
  const weights: TrainedWeights = {
    version: versionOf(fits, BASE_VERSIONS),
    base: BASE_VERSIONS,
    trained_at: new Date().toISOString(),
    texts: {
      sentiment: (kept.sentiment ? current?.texts.sentiment : undefined) ?? texts.sentiment,
      categories: (kept.categories ? current?.texts.categories : undefined) ?? texts.categories,
    },
    ...fits,
  };
  if (isTaken) store(weights, settings);
  if (options.json) printJson({ taken: isTaken, ...(isTaken && { version: weights.version }), ...training });
  else print(trainingText(training));
  if (isTaken) {
    note(
      `Stored as version ${weights.version}, in ${TRAINED_WEIGHTS_FILE} of the data directory. It is used from the next start on.`,
    );
    return;
  }
  note("Nothing is better than before, so nothing has changed. More labels may help.");
  host().exitCode = 1;
}

/** The weights of an earlier training, if they fit the current analysers. */
function weightsInUse(settings: Settings): TrainedWeights | undefined {
  try {
    const weights = readTrainedWeights(dataFile(settings, TRAINED_WEIGHTS_FILE));
    return weights && isForThisVersion(weights) ? weights : undefined;
  } catch (error) {
    // The error tells people to train again, which is what they do here.
    if ((error as { code?: unknown }).code === "trained_weights_damaged") return undefined;
    throw error;
  }
}

/** Goes back to the shipped weights. */
export function resetTraining(options: TrainOptions): void {
  const settings = settingsWithFolder(options);
  requireDataDirectory(settings);
  try {
    rmSync(dataFile(settings, TRAINED_WEIGHTS_FILE));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw unwritable(cause);
    if (options.json) return printJson({ reset: false });
    return note("Nothing was trained here: the weights that ship are in use.");
  }
  if (options.json) printJson({ reset: true });
  note("Removed. The weights that ship are used from the next start on.");
}

function settingsWithFolder(options: TrainOptions): Settings {
  const settings = settingsFrom(options);
  if (settings.dataDirectory !== IN_MEMORY) return settings;
  throw usageError("Training is stored in the data directory: name a folder with --data or ABI_DATA_DIRECTORY.");
}

function store(weights: TrainedWeights, settings: Settings): void {
  try {
    makePrivateFolder(settings.dataDirectory);
    replacePrivateFile(dataFile(settings, TRAINED_WEIGHTS_FILE), `${JSON.stringify(weights)}\n`);
  } catch (cause) {
    throw unwritable(cause);
  }
}

const unwritable = (cause: unknown): IoError =>
  new IoError(`${TRAINED_WEIGHTS_FILE} can't be written in the data directory. Check the folder and its permissions.`, {
    code: "file_unwritable",
    cause,
  });
