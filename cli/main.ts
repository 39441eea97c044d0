import "../src/runtime/node-version.ts";
import { styleText } from "node:util";
import { Command, CommanderError } from "commander";
import { withoutAbsent } from "../src/json.ts";
import { addApprovalsCommand } from "./commands/approvals-command.ts";
import { addBackupCommand } from "./commands/backup-command.ts";
import { addBatchCommand } from "./commands/batch-command.ts";
import { addCancelCommand } from "./commands/cancel-command.ts";
import { isUsageError, usageError } from "./command.ts";
import { addEvalCommand } from "./commands/eval-command.ts";
import { addExportLabelsCommand } from "./commands/export-labels-command.ts";
import { addTrainCommand } from "./commands/train-command.ts";
import { addDevCommand } from "./commands/dev-command.ts";
import { addHeldMailsCommand } from "./commands/held-mails-command.ts";
import { addIngestCommand } from "./commands/ingest-command.ts";
import { addImportCustomersCommand } from "./commands/import-customers-command.ts";
import { hasColors, host, runIn, workAt, type CommandHost } from "./terminal/host.ts";
import { RESUME_NOTE, INTERRUPTED, INTERRUPTED_EXIT_CODE } from "./terminal/interruption.ts";
import { printError, helpOutput, note, oneLine, outputWidth, printJson, wrapped } from "./terminal/output.ts";
import { addInitCommand } from "./commands/init-command.ts";
import { addMcpCommand } from "./commands/mcp-command.ts";
import { addProcessCommand } from "./commands/process-command.ts";
import { addQueryCommand } from "./commands/query-command.ts";
import { addRefreshCustomerCommand } from "./commands/refresh-customer-command.ts";
import { addRetryCommand } from "./commands/retry-command.ts";
import { addServeCommand } from "./commands/serve-command.ts";
import { addStatusCommand } from "./commands/status-command.ts";
import { addWorkerCommand } from "./commands/worker-command.ts";
import { toAbiError, toWireError, type AbiError } from "../src/errors.ts";
import { SETTINGS } from "../src/application/settings.ts";
import { addChatCommand } from "./commands/chat-command.ts";
import { addDemoCommand } from "./commands/demo-command.ts";
import { packageVersion } from "../src/runtime/package-root.ts";

const USAGE_EXIT_CODE = 2;

/**
 * The command `abi-workflows`. Sets the exit code: 0 if everything went well, 1 if something
 * failed, 2 if it was called wrongly, 130 if Ctrl-C or SIGTERM stopped it before it was done. For
 * commands that run until they are stopped, such as `serve`, being stopped is no failure: 0.
 * @param argv as `process.argv`
 * @param commandHost streams, environment, working directory and signals; default: those of this
 *   process
 */
export const main = (argv: readonly string[], commandHost: CommandHost = process): Promise<void> =>
  runIn(commandHost, () => run(argv));

async function run(argv: readonly string[]): Promise<void> {
  const current = host();
  // EPIPE: the program that reads our output has ended (`| head`).
  current.stdout.on("error", (error: NodeJS.ErrnoException) => current.exit(error.code === "EPIPE" ? 0 : 1));
  const program = createProgram();
  if (argv.length <= 2) return program.outputHelp();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    current.exitCode = await report(error, program.opts<{ json?: true }>().json === true);
  }
}

/** Creates the command line without running it. */
export function createProgram(): Command {
  const program = new Command("abi-workflows")
    .description(
      "Processes each piece of customer feedback once: analyses it, stores it in a knowledge graph, and answers " +
        "by email or escalates.",
    )
    .version(packageVersion(), "-v, --version")
    .option("--data <folder>", "folder for all data (default: ABI_DATA_DIRECTORY, or .abi-workflows)")
    .option("--workflows <module>", "module with your own workflows (default: WORKFLOWS)")
    .option("--url <url>", "call a service (abi-workflows serve) instead of opening files (default: ABI_URL)")
    .option("--token <token>", "token for that service; better set ABI_TOKEN, which other users can't see")
    .option("--json", "print JSON on standard output, and everything else on standard error")
    .exitOverride()
    .configureOutput({
      ...helpOutput,
      getOutHelpWidth: () => helpWidth(host().stdout),
      getErrHelpWidth: () => helpWidth(host().stderr),
      getOutHasColors: () => hasColors(host().stdout),
      getErrHasColors: () => hasColors(host().stderr),
    })
    .showHelpAfterError("Try it with --help.")
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (text) => paint("bold", text),
      styleCommandText: (text) => paint("cyan", text),
      styleSubcommandText: (text) => paint("cyan", text),
      styleOptionText: (text) => paint("cyan", text),
      styleArgumentText: (text) => paint("cyan", text),
    });
  addDemoCommand(program);
  addChatCommand(program);
  addProcessCommand(program);
  addBatchCommand(program);
  addInitCommand(program);
  addDevCommand(program);
  addServeCommand(program);
  addIngestCommand(program);
  addHeldMailsCommand(program);
  addWorkerCommand(program);
  addMcpCommand(program);
  addStatusCommand(program);
  addRetryCommand(program);
  addCancelCommand(program);
  addApprovalsCommand(program);
  addQueryCommand(program);
  addImportCustomersCommand(program);
  addRefreshCustomerCommand(program);
  addBackupCommand(program);
  addExportLabelsCommand(program);
  addEvalCommand(program);
  addTrainCommand(program);
  program.hook("preAction", (_program, command) => {
    refuseUrl(command);
    workAt(command.optsWithGlobals());
  });
  return program.addHelpText("after", helpText);
}

/** Commands that only work on this machine. */
const LOCAL = new Set("demo init dev serve mcp worker backup eval train".split(" "));

/** Refuses `--url` for commands that only work on this machine. `ABI_URL` is ignored for them. */
function refuseUrl(command: Command): void {
  const names: string[] = [];
  for (let one: Command | null = command; one; one = one.parent) names.push(one.name());
  const local = names.find((name) => LOCAL.has(name));
  if (local === undefined || command.optsWithGlobals<{ url?: string }>().url === undefined) return;
  throw usageError(`${local} works on this machine and can't call a service: leave out --url.`);
}

const helpWidth = ({ isTTY, columns }: CommandHost["stdout"]): number => (isTTY && columns) || 80;

// Commander removes the colours if they are not wanted.
const paint = (style: "bold" | "cyan" | "dim", text: string): string =>
  styleText(style, text, { validateStream: false });

function helpText(): string {
  const indent = 2 + Math.max(...SETTINGS.map(({ env }) => env.length)) + 2;
  const environment = SETTINGS.map(({ env, about }) => {
    return `  ${paint("cyan", env)}${" ".repeat(indent - 2 - env.length)}${wrapped(about, indent, outputWidth() - indent)}`;
  });
  return [
    "",
    paint("bold", "Start with:"),
    `  abi-workflows demo                             ${paint("dim", "sample data, no key, no server")}`,
    `  abi-workflows import-customers customers.csv   ${paint("dim", "your own customers")}`,
    `  abi-workflows batch feedback.csv               ${paint("dim", "emails go to a folder by default")}`,
    "",
    paint("bold", "Environment:"),
    ...environment,
  ].join("\n");
}

/** Prints what went wrong and returns the exit code. */
async function report(error: unknown, json: boolean): Promise<number> {
  if (error === INTERRUPTED) {
    note(RESUME_NOTE);
    return INTERRUPTED_EXIT_CODE;
  }
  // Commander has already printed the error. After --help or --version, it throws one with exit
  // code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  const { type, cause, remedy } = toAbiError(error) as AbiError & { remedy?: string };
  if (type === "unexpected_error" && remedy === undefined) {
    const { loggerFor } = await import("./settings.ts");
    const { describeCause } = await import("../src/log.ts");
    loggerFor({ logLevel: "error" }).error({ cause: describeCause(cause) }, "the command failed unexpectedly");
  }
  // The user of the command is its operator, so they may see the remedy.
  const wire = { ...toWireError(error), ...withoutAbsent({ error: remedy }) };
  printError(oneLine(wire.error));
  if (isUsageError(error)) return USAGE_EXIT_CODE;
  if (json) printJson({ success: false, ...wire });
  return 1;
}
