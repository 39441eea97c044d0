import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

export interface ServeOptions extends GlobalOptions {
  host?: string;
  port?: string;
  demo?: true;
}

/** `serve`: serves everything over HTTP until it is stopped. */
export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .summary("serve everything over HTTP")
    .description(
      "Serve workflows, runs, approvals, events, tools and the knowledge graph over HTTP until Ctrl-C or SIGTERM, " +
        "then finish the current requests. It also executes runs, unless WORKER=off. Without tokens (HTTP_TOKENS), " +
        "it only serves this machine.",
    )
    .option("--host <address>", "address to listen on (default: HTTP_HOST, or 127.0.0.1)")
    .option("--port <number>", "port to listen on, or 0 for any free one (default: HTTP_PORT, or 8008)")
    .option(
      "--demo",
      "serve sample data from a separate folder; emails wait for approval and are then written to files. Only the " +
        "settings ABI_DATA_DIRECTORY, HTTP_*, OPENAI_*, GRAPH_TOOLS, LOG_LEVEL, PUBLIC_URL and WORKFLOWS are used",
    )
    .action(async (_options, command: Command) => {
      const { serve } = await import("./serve.ts");
      await serve(command.optsWithGlobals<ServeOptions>());
    });
  addExamples(
    command,
    ["serve", "serve this machine only; you need a token only to approve"],
    ["serve --demo", "try it with sample data"],
    ["serve --host 0.0.0.0 --port 80", "serve other machines; callers need a token from HTTP_TOKENS"],
  );
}
