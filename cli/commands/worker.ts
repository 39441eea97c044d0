import type { GlobalOptions } from "../command.ts";
import { INTERRUPTED, untilAborted } from "../terminal/interruption.ts";
import { note, print, printJson } from "../terminal/output.ts";
import { openMailboxWatcher } from "../../src/application/parts.ts";
import { settingsFrom } from "../settings.ts";
import type { Settings } from "../../src/application/settings.ts";
import type { MetricsServer } from "../../src/telemetry/metrics-server.ts";
import type { Service } from "../../src/framework/service.ts";
import { withApplication } from "../with-application.ts";

/** Executes runs until it is stopped. */
export async function runWorker(options: GlobalOptions): Promise<void> {
  // A worker always executes runs, even if WORKER=off is set for other processes.
  const settings = { ...settingsFrom(options), worker: true };
  try {
    await withApplication(
      settings,
      async ({ service }, signal) => {
        const mailbox = await openMailboxWatcher(settings, service);
        const metrics = await servedMetrics(service, settings);
        try {
          await mailbox?.start();
          if (options.json) printJson({ status: "ready", ...(metrics && { metrics_url: metrics.url }) });
          else print(`Ready: runs are executed${mailbox ? " and emails are processed" : ""} until Ctrl-C or SIGTERM.`);
          if (metrics && !options.json) print(`Metrics: ${metrics.url}`);
          await untilAborted(signal);
        } finally {
          await Promise.all([mailbox?.close(), metrics?.close()]);
        }
      },
      { worker: true },
    );
  } catch (error) {
    // It was stopped before it was ready.
    if (error !== INTERRUPTED) throw error;
  }
  note("Stopped. Unfinished runs continue with the next worker.");
}

/** Undefined if no setting asks for metrics. */
async function servedMetrics(
  service: Service,
  { metricsHost: host, metricsPort: port }: Settings,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined;
  const { createMetrics } = await import("../../src/telemetry/metrics.ts");
  const { serveMetrics } = await import("../../src/telemetry/metrics-server.ts");
  return serveMetrics(await createMetrics(service), { host, port });
}
