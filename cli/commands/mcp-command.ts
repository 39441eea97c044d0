import type { Command } from "commander";
import { addExamples, collect, type GlobalOptions } from "../command.ts";

/** What `mcp` takes beside the options of every command. */
export interface McpCommandOptions extends GlobalOptions {
  fixed?: string[];
}

/** `mcp`: serves one MCP client, such as a desktop assistant, on standard input and output. */
export function addMcpCommand(program: Command): void {
  const command = program
    .command("mcp")
    .summary("serve an MCP client on standard input and output")
    .description(
      "Offer the tools to an MCP client, such as a desktop assistant, which starts this command and speaks to it on standard input " +
        "and output. Runs are executed as long as it lasts, and go on at the next start. Standard output carries nothing but the " +
        "protocol; the log goes to standard error.",
    )
    .option("--fixed <field>=<value>", "set a field that the model then can't choose; may be repeated", collect)
    .action(async (_options, command: Command) => {
      const { serveMcp } = await import("./mcp.ts");
      await serveMcp(command.optsWithGlobals<McpCommandOptions>());
    });
  addExamples(
    command,
    ["--data /home/ann/feedback mcp", "what to put into a client's configuration, with the full path of the folder"],
    ["mcp --fixed customer_id=C-1001", "for one customer only"],
  );
}
