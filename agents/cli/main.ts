import "../../src/node-version.ts";
import { styleText } from "node:util";
import { Command, CommanderError } from "commander";
import { addApprovalsCommand } from "../../src/cli/approvals-command.ts";
import { addBackupCommand } from "../../src/cli/backup-command.ts";
import { addBatchCommand } from "../../src/cli/batch-command.ts";
import { addCancelCommand } from "../../src/cli/cancel-command.ts";
import { isUsageError, usageError } from "../../src/cli/command.ts";
import { addEvalCommand } from "../../evaluation/cli/eval-command.ts";
import { addExportLabelsCommand } from "../../evaluation/cli/export-labels-command.ts";
import { addTrainCommand } from "../../evaluation/cli/train-command.ts";
import { addDevCommand } from "../../src/cli/dev-command.ts";
import { addHeldMailsCommand } from "../../src/cli/held-mails-command.ts";
import { addIngestCommand } from "../../src/cli/ingest-command.ts";
import { addImportCustomersCommand } from "../../src/cli/import-customers-command.ts";
import { hasColors, host, runIn, type CommandHost } from "../../src/cli/host.ts";
import { HOW_TO_GO_ON, INTERRUPTED, INTERRUPTED_EXIT_CODE } from "../../src/cli/interruption.ts";
import { complain, helpOutput, note, oneLine, outputWidth, printJson, wrapped } from "../../src/cli/output.ts";
import { addInitCommand } from "../../src/cli/init-command.ts";
import { addMcpCommand } from "../../src/cli/mcp-command.ts";
import { addProcessCommand } from "../../src/cli/process-command.ts";
import { addQueryCommand } from "../../src/cli/query-command.ts";
import { addRefreshCustomerCommand } from "../../src/cli/refresh-customer-command.ts";
import { addRetryCommand } from "../../src/cli/retry-command.ts";
import { addServeCommand } from "../../src/cli/serve-command.ts";
import { addStatusCommand } from "../../src/cli/status-command.ts";
import { addWorkerCommand } from "../../src/cli/worker-command.ts";
import { toAbiError, toWireError, type AbiError } from "../../src/errors.ts";
import { SETTINGS } from "../../src/settings.ts";
import { addChatCommand } from "./chat-command.ts";
import { addDemoCommand } from "./demo-command.ts";
import { packageVersion } from "../../src/package-root.ts";

const USAGE_EXIT_CODE = 2;

/**
 * The command `abi-workflows`. Sets the exit code: 0 done, 1 it failed or something in it failed, 2 not called as it can be,
 * 130 stopped by Ctrl-C.
 * @param argv as `process.argv`
 * @param commandHost streams, environment, working directory and signals; default: those of this process
 */
export const main = (argv: readonly string[], commandHost: CommandHost = process): Promise<void> =>
  runIn(commandHost, () => run(argv));

async function run(argv: readonly string[]): Promise<void> {
  const current = host();
  // Whoever reads our output has seen enough (`| head`).
  current.stdout.on("error", (error: NodeJS.ErrnoException) => current.exit(error.code === "EPIPE" ? 0 : 1));
  const program = createProgram();
  if (argv.length <= 2) return program.outputHelp();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    current.exitCode = await report(error, program.opts<{ json?: true }>().json === true);
  }
}

/** The command line, without running anything. */
export function createProgram(): Command {
  const program = new Command("abi-workflows")
    .description("Customer feedback, processed once: judged, kept in a knowledge graph, answered by mail or escalated.")
    .version(packageVersion(), "-v, --version")
    .option("--data <folder>", "where everything is kept (default: ABI_DATA_DIRECTORY, or .abi-workflows)")
    .option("--workflows <module>", "workflows of your own (default: WORKFLOWS)")
    .option("--url <url>", "speak to a service (abi-workflows serve) instead of opening files (default: ABI_URL)")
    .option("--token <token>", "for that service; better in ABI_TOKEN, where other users don't see it")
    .option("--json", "answer for machines: JSON on standard output, all else on standard error")
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
  addServeCommand(program, async (application, settings, logger) => {
    const { openChat } = await import("../chat-service.ts");
    return openChat(application, settings, { logger });
  });
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
  program.hook("preAction", (_program, command) => refuseUrl(command));
  return program.addHelpText("after", helpText);
}

/** Commands that do their work with what is on this machine. */
const LOCAL = new Set("demo init dev serve mcp worker backup eval train".split(" "));

/** The address of a service in the environment is for the others. */
function refuseUrl(command: Command): void {
  const names: string[] = [];
  for (let one: Command | null = command; one; one = one.parent) names.push(one.name());
  const local = names.find((name) => LOCAL.has(name));
  if (local === undefined || command.optsWithGlobals<{ url?: string }>().url === undefined) return;
  throw usageError(`${local} works on this machine, and does not speak to a service: leave --url out.`);
}

const helpWidth = ({ isTTY, columns }: CommandHost["stdout"]): number => (isTTY && columns) || 80;

// Commander takes the colours out again where they are not wanted.
const paint = (style: "bold" | "cyan" | "dim", text: string): string =>
  styleText(style, text, { validateStream: false });

function helpText(): string {
  const indent = 2 + Math.max(...SETTINGS.map(({ env }) => env.length)) + 2;
  const environment = SETTINGS.map(({ env, about }) => {
    return `  ${paint("cyan", env)}${" ".repeat(indent - 2 - env.length)}${wrapped(about, indent, outputWidth() - indent)}`;
  });
  return [
    "",
    paint("bold", "Begin with:"),
    `  abi-workflows demo                             ${paint("dim", "sample data, no key, no server")}`,
    `  abi-workflows import-customers customers.csv   ${paint("dim", "your own customers")}`,
    `  abi-workflows batch feedback.csv               ${paint("dim", "mails go to a folder by default")}`,
    "",
    paint("bold", "Environment:"),
    ...environment,
  ].join("\n");
}

/** Says what went wrong and returns the exit code. */
async function report(error: unknown, json: boolean): Promise<number> {
  if (error === INTERRUPTED) {
    note(HOW_TO_GO_ON);
    return INTERRUPTED_EXIT_CODE;
  }
  // Commander has said it already; asked for help or version, it ends the same way.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  const { type, cause, remedy } = toAbiError(error) as AbiError & { remedy?: string };
  if (type === "unexpected_error" && remedy === undefined) {
    const { loggerFor } = await import("../../src/cli/settings.ts");
    const { describeCause } = await import("../../src/log.ts");
    loggerFor({ logLevel: "error" }).error({ cause: describeCause(cause) }, "the command failed unexpectedly");
  }
  // Whoever calls the command runs this.
  const wire = { ...toWireError(error), ...(remedy === undefined ? {} : { error: remedy }) };
  complain(oneLine(wire.error));
  if (isUsageError(error)) return USAGE_EXIT_CODE;
  if (json) printJson({ success: false, ...wire });
  return 1;
}
