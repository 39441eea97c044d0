import type { Command } from "commander";
import { addExamples, usageError, type GlobalOptions } from "../command.ts";

export interface TrainOptions extends GlobalOptions {
  reset?: true;
}

/** `train`: teaches the embedded analysers with labels of one's own. */
export function addTrainCommand(program: Command): void {
  const command = program
    .command("train")
    .summary("teach the embedded analysers with your own labels")
    .description(
      'Fit the embedded analysers to labelled texts, in the format of "eval": the words of your domain for sentiment, how much evidence ' +
        "each category takes. Only what does better on unseen texts is kept; the figures show it. The rest is kept in " +
        "the data directory and used from the next start on; every judgement then names its version.",
    )
    .argument("[folder]", "the labelled texts, all that you have: each training begins with what ships")
    .option("--reset", "remove what was trained, and go back to what ships")
    .action(async (folder: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<TrainOptions>();
      const { resetTraining, trainOnFolder } = await import("./train.ts");
      if (options.reset && folder === undefined) return resetTraining(options);
      if (folder === undefined || options.reset) {
        throw usageError("Name the folder with your labelled texts, or --reset, not both.");
      }
      return trainOnFolder(folder, options);
    });
  addExamples(
    command,
    ["export-labels labels && abi-workflows train labels", "learn from what reviewers have put right"],
    ["eval labels --analyzer shipped embedded", "what ships beside what is used, on labels that were kept apart"],
    ["train --reset", "go back"],
  );
}
