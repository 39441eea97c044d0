import type { MailReceipt } from "../../src/framework/mail-receipt.ts";
import { BatchSummary, increase, tally, type RowResult } from "./batch/summary.ts";
import { bold, count, dim, oneLine, plural, styled } from "../terminal/output.ts";
import { fields } from "../result-view.ts";

/** The outcome of one email: its receipt and the result of its run, or an error. */
export type IngestResult = { place: string } & (MailReceipt | (Omit<MailReceipt, "status"> & { status: "failed" }));

const SHOWN_FAILURES = 10;

/** Counts the outcomes of emails. Its size doesn't grow with them. */
export class IngestSummary {
  mails = 0;
  /** Emails that ended in an error. Failed runs are counted in `runs`. */
  failed = 0;
  /** Emails that are processed, but whose result the caller may not see. */
  unseen = 0;
  readonly runs = new BatchSummary();
  readonly statuses = new Map<string, number>();
  readonly ignored = new Map<string, number>();
  readonly held = new Map<string, number>();
  readonly #failures: { place: string; error: string }[] = [];

  add(result: IngestResult): void {
    this.mails += 1;
    const { place, status, reason } = result;
    increase(this.statuses, status);
    if (status === "ignored") increase(this.ignored, reason ?? "");
    if (status === "needs_person") increase(this.held, reason ?? "");
    const run = result["run"] as RowResult | undefined;
    if (status === "processing" && !run) this.unseen += 1;
    // Skip duplicates whose runs have succeeded: the call that processed them has counted them.
    if (run && (status === "processing" || !run.success)) this.runs.add({ ...run, line: this.mails });
    const error = status === "failed" ? result["error"] : run?.success === false ? run.error : undefined;
    if (status === "failed") this.failed += 1;
    if (typeof error === "string" && this.#failures.length < SHOWN_FAILURES) this.#failures.push({ place, error });
  }

  progress(): string {
    const perSecond = this.mails / Math.max(this.runs.seconds, 0.001);
    const failed = this.failed + this.runs.failed;
    return `${plural(this.mails, "email")}${failed > 0 ? `, ${count(failed)} failed` : ""}, ${perSecond.toFixed(0)}/s`;
  }

  /** Whether nothing failed or is delayed. An email that waits for a person has not failed. */
  get isGood(): boolean {
    return this.failed + this.runs.failed + this.runs.mailsDelayed === 0;
  }

  toText(): string {
    const of = (status: string): number => this.statuses.get(status) ?? 0;
    const failed = this.failed + this.runs.failed;
    const lines: [string, string][] = [
      ["emails", bold(count(this.mails))],
      ["processed", `${count(of("processing"))}${detail(this.runs.actions)}`],
      ["replies recorded", count(of("recorded"))],
      ["ignored", `${count(of("ignored"))}${detail(this.ignored)}`],
      ["for a person", `${count(of("needs_person"))}${detail(this.held)}`],
      ["duplicates", `${count(of("duplicate"))}${of("duplicate") > 0 ? dim("  processed before") : ""}`],
      ["failed", failed > 0 ? styled("red", count(failed)) : count(failed)],
      ["answers", this.runs.mails()],
      ["time", `${this.runs.seconds.toFixed(1)} s`],
    ];
    const more = failed - this.#failures.length;
    return [
      fields(lines),
      ...(failed > 0 ? [""] : []),
      ...this.#failures.map(({ place, error }) => `  ${styled("red", "✗")} ${oneLine(place)}: ${oneLine(error)}`),
      ...(more > 0 ? [dim(`  … and ${plural(more, "failure")} more`)] : []),
    ].join("\n");
  }
}

const detail = (counts: ReadonlyMap<string, number>): string => (counts.size === 0 ? "" : `  ${dim(tally(counts))}`);
