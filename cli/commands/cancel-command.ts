import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `cancel`: stops runs between two steps. */
export function addCancelCommand(program: Command): void {
  const command = program
    .command("cancel")
    .summary("stop runs between two steps")
    .description(
      "Stop runs between two steps. What their steps have done stays done. To resume them, use `retry` or " +
        "submit the same feedback again.",
    )
    .argument("<id...>", "workflow ids (workflow-…), feedback ids or references")
    .action(async (ids: string[], _options, command: Command) => {
      const { cancelRuns } = await import("./cancel.ts");
      await cancelRuns(ids, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(command, ["cancel F-1", "stop one run"]);
}
