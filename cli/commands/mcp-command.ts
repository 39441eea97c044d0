import type { Command } from "commander";
import { addExamples, collect, type GlobalOptions } from "../command.ts";

/** The options of `mcp`, besides those of every command. */
export interface McpCommandOptions extends GlobalOptions {
  fixed?: string[];
}

/** `mcp`: serves one MCP client, such as a desktop assistant, over standard input and output. */
export function addMcpCommand(program: Command): void {
  const command = program
    .command("mcp")
    .summary("serve an MCP client over standard input and output")
    .description(
      "Offer the tools to an MCP client, such as a desktop assistant. The client starts this command and talks to " +
        "it over standard input and output. Runs are executed while it is running; unfinished ones continue at the " +
        "next start. Standard output has only protocol messages; the log goes to standard error.",
    )
    .option("--fixed <field>=<value>", "set a field, so that the model can't choose it; repeatable", collect)
    .action(async (_options, command: Command) => {
      const { serveMcp } = await import("./mcp.ts");
      await serveMcp(command.optsWithGlobals<McpCommandOptions>());
    });
  addExamples(
    command,
    ["--data /home/ann/feedback mcp", "the command for a client's configuration, with the folder's full path"],
    ["mcp --fixed customer_id=C-1001", "for one customer only"],
  );
}
