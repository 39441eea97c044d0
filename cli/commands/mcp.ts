import type { Application } from "../../src/application/application.ts";
import { serveMcpOverStdio } from "../../src/interfaces/mcp/stdio.ts";
import { withoutAbsent } from "../../src/json.ts";
import { readAssignments } from "../assignments.ts";
import { host } from "../terminal/host.ts";
import { INTERRUPTED } from "../terminal/interruption.ts";
import type { McpCommandOptions } from "./mcp-command.ts";
import { reserveOutput } from "../terminal/output.ts";
import { settingsFrom } from "../settings.ts";
import { withApplication } from "../with-application.ts";

/**
 * Serves the client over standard input and output until the client closes its end, or until the
 * command is stopped.
 */
export async function serveMcp(options: McpCommandOptions): Promise<void> {
  const { output, release } = reserveOutput();
  try {
    const settings = settingsFrom(options);
    await withApplication(settings, async ({ service }, signal) => {
      const connection = serveMcpOverStdio(service, {
        input: host().stdin,
        output,
        fixed: Object.fromEntries(readAssignments("--fixed", "value", options.fixed ?? [], fieldsOf(service))),
        ...withoutAbsent({ consoleUrl: settings.publicUrl }),
      });
      const stop = (): void => void connection.close();
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      await connection.closed;
    });
  } catch (error) {
    // It was stopped before the application was open.
    if (error !== INTERRUPTED) throw error;
  } finally {
    release();
  }
}

/** The fields that tools accept. */
const fieldsOf = ({ operations }: Application["service"]): string[] => {
  const inputs = operations.filter(({ operation }) => operation.audience === "agent");
  return [...new Set(inputs.flatMap(({ operation }) => Object.keys(operation.input.shape)))];
};
