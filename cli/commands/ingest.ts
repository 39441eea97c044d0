import { toWireError } from "../../src/errors.ts";
import { mailsIn, mailsOf, type FoundMail } from "../../src/integrations/mailbox/mail-files.ts";
import type { Settings } from "../../src/application/settings.ts";
import type { MailReceipt } from "../../src/framework/mail-receipt.ts";
import type { RunResult } from "../../src/framework/result.ts";
import type { GlobalOptions } from "../command.ts";
import { furtherCommand, host, resolvedPath } from "../terminal/host.ts";
import { IngestSummary, type IngestResult } from "./ingest-summary.ts";
import { STDIN } from "../terminal/input.ts";
import { interruptible } from "../terminal/interruption.ts";
import { note, plural, print, printJson } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { serviceFor } from "../runs/runs.ts";
import { concernsEveryRequest, RESULT_NOT_SHOWN } from "../service-client.ts";
import { settingsFrom } from "../settings.ts";
import { withApplication } from "../with-application.ts";

/** Processes all emails of a path, waits for the runs that they start, and counts the outcomes. */
export async function ingest(path: string, options: GlobalOptions): Promise<void> {
  const settings = settingsFrom(options);
  const summary = new IngestSummary();
  const mails = path === STDIN ? mailsOf(host().stdin) : mailsIn(resolvedPath(path));
  // Read the first email before anything is opened, because a wrong path must not create a data
  // directory.
  const first = await mails.next();
  const progress = await createProgress("Processing emails");
  try {
    await withDesk(options, settings, async (desk, signal) => {
      const { pMapIterable } = await import("p-map");
      const take = async ({ share, ...mail }: FoundMail) => ({ result: await takeIn(desk, mail, signal), share });
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
  if (summary.mails === 0) note("There are no emails.");
  if (summary.unseen > 0) note(RESULT_NOT_SHOWN);
  const held = summary.statuses.get("needs_person") ?? 0;
  if (held > 0) note(`${plural(held, "email")} held for a person. Look at them with: ${furtherCommand("held-mails")}`);
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

/** What processes the emails. */
interface MailDesk {
  receive(raw: Uint8Array): Promise<MailReceipt>;
  /** Undefined if the caller may not see it. */
  result(workflowId: string): Promise<RunResult | undefined>;
  logUnexpected(error: unknown): void;
}

/** Opens the application, or the service that the options name. */
async function withDesk(
  options: GlobalOptions,
  settings: Settings,
  work: (desk: MailDesk, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const remote = await serviceFor(options);
  if (remote) {
    return interruptible((signal) =>
      work(
        {
          receive: async (text) =>
            (await remote.call("/mail", { body: { type: "message/rfc822", text }, signal })) as MailReceipt,
          result: (id) => remote.resultIfAllowed(id, signal),
          logUnexpected: () => {},
        },
        signal,
      ),
    );
  }
  return withApplication(settings, ({ service, workflow }, signal) =>
    work(
      {
        receive: (raw) => service.receiveMail(raw),
        result: (id) => workflow.getWorkflowResult(id, { signal }),
        logUnexpected: (error) => service.logUnexpected(error),
      },
      signal,
    ),
  );
}

async function takeIn(
  desk: MailDesk,
  { place, raw }: Pick<FoundMail, "place" | "raw">,
  signal: AbortSignal,
): Promise<IngestResult> {
  try {
    if (raw instanceof Error) throw raw;
    const receipt = await desk.receive(raw);
    const { workflow_id } = receipt;
    if (typeof workflow_id !== "string") return { place, ...receipt };
    // Wait even for the run of a duplicate: an earlier call may have been interrupted before it had
    // the result.
    const run = await desk.result(workflow_id);
    return { place, ...receipt, ...(run && { run }) };
  } catch (error) {
    signal.throwIfAborted();
    if (concernsEveryRequest(error)) throw error;
    // An error with one email must not stop the others.
    desk.logUnexpected(error);
    return { place, status: "failed", ...toWireError(error) };
  }
}
