import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

export interface ServeOptions extends GlobalOptions {
  host?: string;
  port?: string;
  demo?: true;
}

/** `serve`: everything over HTTP, until told to stop. */
export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .summary("offer everything over HTTP")
    .description(
      "Offer workflows, runs, approvals, events, tools and the knowledge graph over HTTP until Ctrl-C or SIGTERM: then requests " +
        "are finished. Runs are executed as well, unless WORKER=off. Without tokens (HTTP_TOKENS) it serves this machine only.",
    )
    .option("--host <address>", "where to listen (default: HTTP_HOST, or 127.0.0.1)")
    .option("--port <number>", "where to listen, 0 for any that is free (default: HTTP_PORT, or 8008)")
    .option(
      "--demo",
      "serve sample data from a folder of its own; mails go to files and wait for approval first. Of the settings only HTTP_*, OPENAI_*, " +
        "GRAPH_TOOLS, LOG_LEVEL, PUBLIC_URL and WORKFLOWS count",
    )
    .action(async (_options, command: Command) => {
      const { serve } = await import("./serve.ts");
      await serve(command.optsWithGlobals<ServeOptions>());
    });
  addExamples(
    command,
    ["serve", "this machine only, no token needed but for approving"],
    ["serve --demo", "with sample data, to try it"],
    ["serve --host 0.0.0.0 --port 80", "for others, who need a token of HTTP_TOKENS"],
  );
}
