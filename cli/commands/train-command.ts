import type { Command } from "commander";
import { addExamples, usageError, type GlobalOptions } from "../command.ts";

export interface TrainOptions extends GlobalOptions {
  reset?: true;
}

/** `train`: trains the embedded analysers with the user's own labels. */
export function addTrainCommand(program: Command): void {
  const command = program
    .command("train")
    .summary("train the embedded analysers with your own labels")
    .description(
      'Train the embedded analysers on labelled texts, in the format of "eval". For sentiment, they learn the ' +
        "words of your domain; for each category, how much evidence it needs. A result is only used if it is better " +
        "on held-out texts, as the figures show. It is stored in the data directory and used from the next start " +
        "on; every analysis then names its version.",
    )
    .argument("[folder]", "all your labelled texts, since each training starts from the weights that ship")
    .option("--reset", "remove earlier training, and go back to the weights that ship")
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
    ["export-labels labels && abi-workflows train labels", "learn from the labels of reviewers"],
    [
      "eval labels --analyzer shipped embedded",
      "compare shipped and trained weights, on labels that you didn't train with",
    ],
    ["train --reset", "undo the training"],
  );
}
