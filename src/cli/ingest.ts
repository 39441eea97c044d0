import type { Application } from "../application.ts";
import { toWireError } from "../errors.ts";
import { mailsIn, mailsOf, type FoundMail } from "../integrations/mailbox/mail-files.ts";
import type { GlobalOptions } from "./command.ts";
import { host, located } from "./host.ts";
import { IngestSummary, type IngestResult } from "./ingest-summary.ts";
import { STDIN } from "./input.ts";
import { note, plural, print, printJson } from "./output.ts";
import { createProgress } from "./progress.ts";
import { settingsFrom } from "./settings.ts";
import { withApplication } from "./with-application.ts";

/** Takes in all mails of a path, waits for the runs that they start, and counts what came of each. */
export async function ingest(path: string, options: GlobalOptions): Promise<void> {
  const settings = settingsFrom(options);
  const summary = new IngestSummary();
  const mails = path === STDIN ? mailsOf(host().stdin) : mailsIn(located(path));
  // Before anything is opened: a path that is wrong must not make a data directory.
  const first = await mails.next();
  const progress = await createProgress("Taking in mails");
  try {
    await withApplication(settings, async (application, signal) => {
      const { pMapIterable } = await import("p-map");
      const take = async ({ share, ...mail }: FoundMail) => ({
        result: await takeIn(application, mail, signal),
        share,
      });
      const results = pMapIterable(untilAborted(first, mails, signal), take, {
        concurrency: settings.maxParallelRequests,
      });
      for await (const { result, share } of results) {
        signal.throwIfAborted();
        summary.add(result);
        if (options.json) printJson(result);
        progress.update(summary.progress(), share);
      }
    });
  } finally {
    progress.stop();
    if (summary.mails > 0) (options.json ? note : print)(summary.toText());
  }
  if (summary.mails === 0) note("There are no mails.");
  const held = summary.statuses.get("needs_person") ?? 0;
  if (held > 0) note(`${plural(held, "mail")} held for a person. Look at them with: abi-workflows held-mails`);
  host().exitCode = summary.isGood ? 0 : 1;
}

async function* untilAborted(
  first: IteratorResult<FoundMail, unknown>,
  rest: AsyncGenerator<FoundMail>,
  signal: AbortSignal,
): AsyncGenerator<FoundMail> {
  for (let next = first; next.done !== true; next = await rest.next()) {
    signal.throwIfAborted();
    yield next.value;
  }
}

async function takeIn(
  { service, workflow }: Application,
  { place, raw }: Pick<FoundMail, "place" | "raw">,
  signal: AbortSignal,
): Promise<IngestResult> {
  try {
    if (raw instanceof Error) throw raw;
    const receipt = await service.receiveMail(raw);
    const { workflow_id } = receipt;
    if (typeof workflow_id !== "string") return { place, ...receipt };
    // Also of one that an earlier call has begun: that may have been interrupted.
    return { place, ...receipt, run: await workflow.getWorkflowResult(workflow_id, { signal }) };
  } catch (error) {
    signal.throwIfAborted();
    // One mail that breaks something must not keep the others.
    service.logUnexpected(error);
    return { place, status: "failed", ...toWireError(error) };
  }
}
