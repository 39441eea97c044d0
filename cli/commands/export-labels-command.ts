import type { Command } from "commander";
import { addExamples, usageError, type GlobalOptions } from "../command.ts";

export interface ExportLabelsOptions extends GlobalOptions {
  rawTexts?: true;
}

/** `export-labels`: the labels that reviewers confirmed or corrected, with their texts. */
export function addExportLabelsCommand(program: Command): void {
  const command = program
    .command("export-labels")
    .summary("export the labels that reviewers confirmed or corrected")
    .description(
      "Write the feedback that people have decided on in the approval queue as labelled texts, in the format " +
        'of "eval" and "train". Labels that a person named count; an approval confirms the labels that were ' +
        "shown, unless they were in doubt or the text could not be read. Texts are masked: names, ids, addresses, " +
        "numbers and unusual words are left out.",
    )
    .argument(
      "<folder>",
      "where to write sentiment/reviewed.jsonl and categories/reviewed.jsonl (existing files are replaced)",
    )
    .option(
      "--raw-texts",
      "leave the texts as customers wrote them: they may name people, so treat the files like the customers' data",
    )
    .action(async (folder: string, _options, command: Command) => {
      if (folder.trim() === "") throw usageError("Name the folder to write the labels to.");
      const { exportLabels } = await import("./export-labels.ts");
      await exportLabels(folder, command.optsWithGlobals<ExportLabelsOptions>());
    });
  addExamples(
    command,
    ["export-labels labels", "masked texts with their labels"],
    ["eval labels", "how accurate the analysers are on them"],
    ["train labels", "learn from them"],
  );
}
