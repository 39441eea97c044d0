import { withoutAbsent } from "../../../src/json.ts";
import { placeOf, type FileRow } from "../../../src/row-file/row.ts";
import type { CustomerFeedbackResult } from "../../../src/workflows/customer-feedback/result.ts";
import { bold, count, dim, oneLine, plural, styled } from "../../terminal/output.ts";
import { fields, isDelayed, isWaiting } from "../../result-view.ts";

/** The outcome of one row. */
export type RowResult = Pick<FileRow, "line" | "item"> & Partial<CustomerFeedbackResult> & { success: boolean };

const SHOWN_FAILURES = 10;

/** Counts the outcomes of a batch. Its size doesn't grow with the batch. */
export class BatchSummary {
  processed = 0;
  failed = 0;
  duplicates = 0;
  mailsSent = 0;
  mailsWithheld = 0;
  mailsWaiting = 0;
  /** Emails that can't be sent yet, for example because the server is down. They are retried. */
  mailsDelayed = 0;
  /** Praise that is not certain enough for thanks. */
  doubtful = 0;
  /** Texts that the analyser couldn't read. */
  unreadable = 0;
  /** Texts judged by an analyser other than the configured one. */
  fallbacks = 0;
  readonly actions = new Map<string, number>();
  readonly sentiments = new Map<string, number>();
  readonly #failures: RowResult[] = [];
  #delay: RowResult | undefined;
  readonly #began = performance.now();

  add(result: RowResult): void {
    this.processed += 1;
    if (isDelayed(result)) {
      this.mailsDelayed += 1;
      this.#delay ??= result;
      return;
    }
    if (!result.success) {
      this.failed += 1;
      if (this.#failures.length < SHOWN_FAILURES) this.#failures.push(result);
      return;
    }
    increase(this.actions, result.action);
    increase(this.sentiments, result.sentiment);
    if (result.doubtful === true) this.doubtful += 1;
    if (result.unreadable === true) this.unreadable += 1;
    if (result.analysis_fallback !== undefined) this.fallbacks += 1;
    if (isWaiting(result)) this.mailsWaiting += 1;
    if (result.duplicate === true) this.duplicates += 1;
    else if (result.response_id !== undefined) this.mailsSent += 1;
    else if (result.response_withheld !== undefined) this.mailsWithheld += 1;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  get perSecond(): number {
    return this.processed / Math.max(this.seconds, 0.001);
  }

  /** For the progress display. */
  progress(): string {
    const failed = this.failed > 0 ? `, ${count(this.failed)} failed` : "";
    const delayed = this.mailsDelayed > 0 ? `, ${plural(this.mailsDelayed, "email")} delayed` : "";
    return `${count(this.processed)} processed${failed}${delayed}, ${this.perSecond.toFixed(0)}/s`;
  }

  /** `60 sent, 2 withheld`. */
  mails(): string {
    const waiting = this.mailsWaiting > 0 ? `, ${count(this.mailsWaiting)} waiting for approval` : "";
    const delayed = this.mailsDelayed > 0 ? `, ${count(this.mailsDelayed)} delayed` : "";
    return `${count(this.mailsSent)} sent, ${count(this.mailsWithheld)} withheld${waiting}${delayed}`;
  }

  /** `positive 12 · neutral 4, of these 2 doubtful: not thanked, 1 not read`. */
  sentiment(): string {
    const uncertain = [
      ...(this.doubtful > 0 ? [`${count(this.doubtful)} doubtful: not thanked`] : []),
      ...(this.unreadable > 0 ? [`${count(this.unreadable)} not read`] : []),
    ];
    return `${tally(this.sentiments)}${uncertain.length === 0 ? "" : dim(`, of these ${uncertain.join(", ")}`)}`;
  }

  toJson(outbox: string | undefined): object {
    return {
      processed: this.processed,
      failed: this.failed,
      duplicates: this.duplicates,
      actions: Object.fromEntries(this.actions),
      sentiments: Object.fromEntries(this.sentiments),
      doubtful: this.doubtful,
      unreadable: this.unreadable,
      analysis_fallbacks: this.fallbacks,
      mails_sent: this.mailsSent,
      mails_withheld: this.mailsWithheld,
      mails_waiting: this.mailsWaiting,
      mails_delayed: this.mailsDelayed,
      seconds: Number(this.seconds.toFixed(3)),
      per_second: Number(this.perSecond.toFixed(1)),
      ...withoutAbsent({ outbox }),
    };
  }

  /** @param outbox the folder with the emails; undefined if they are sent or written elsewhere */
  toText(outbox: string | undefined): string {
    const failed = count(this.failed);
    const lines: [string, string][] = [
      ["processed", bold(count(this.processed))],
      ["failed", this.failed > 0 ? styled("red", failed) : failed],
      [
        "duplicates",
        `${count(this.duplicates)}${this.duplicates > 0 ? dim("  processed before: nothing was done twice") : ""}`,
      ],
      ["actions", tally(this.actions)],
      ["sentiment", this.sentiment()],
      ...(this.fallbacks > 0 ? [["fallback", this.#fallbackText()] as [string, string]] : []),
      ["emails", this.mails()],
      ["time", `${this.seconds.toFixed(1)} s, ${this.perSecond.toFixed(1)} per second`],
    ];
    if (outbox !== undefined) lines.push(["emails are in", oneLine(outbox)]);
    return [fields(lines), ...this.#failureLines(), ...this.#delayLines()].join("\n");
  }

  #fallbackText(): string {
    return styled("yellow", `${count(this.fallbacks)} judged by the embedded analysers; analysis_fallback says why`);
  }

  #delayLines(): string[] {
    if (!this.#delay) return [];
    const { error = "" } = this.#delay;
    const wait = this.mailsDelayed === 1 ? "waits" : "wait";
    return [
      "",
      `  ${styled("yellow", "…")} ${plural(this.mailsDelayed, "email")} ${wait} for the mail server, the first from ${placeOf(this.#delay)}: ${oneLine(error)}`,
      dim("    If no process is running on this data, they are retried by the next one that executes runs."),
    ];
  }

  #failureLines(): string[] {
    if (this.failed === 0) return [];
    const more = this.failed - this.#failures.length;
    return [
      "",
      ...this.#failures.map((row) => `  ${styled("red", "✗")} ${placeOf(row)}: ${oneLine(row.error ?? "")}`),
      ...(more > 0 ? [dim(`  … and ${plural(more, "failure")} more`)] : []),
    ];
  }
}

/** Counts a key, if there is one. */
export const increase = (counts: Map<string, number>, key: string | undefined): void => {
  if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
};

/** `escalate 12 · auto_respond 3`, the largest number first. */
export const tally = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(dim(" · ")) || dim("none");
