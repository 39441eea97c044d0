/** Notices about what has happened while a person was looking at an email. */
import { getFeedback } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { href } from "../router.ts";
import { may } from "../session.ts";
import { OneLine } from "../ui/one-line.ts";
import { Time } from "../ui/time.ts";
import { WordDiff } from "../ui/word-diff.ts";
import type { Decided, PendingMail } from "./approvals-api.ts";

const DID = {
  approve: "approved this email",
  edit: "approved an edited version",
  reject: "rejected this email",
} as const;

/** Shown if another email is waiting by now: what is different, and a button to look at it. */
export function Changed({ before, now, onSeen }: { before: PendingMail; now: PendingMail; onSeen: () => void }) {
  const fields = (["sender", "recipient", "subject", "text"] as const).filter((name) => before[name] !== now[name]);
  return html`
    <div class="notice warn" role="alert">
      <p><b>Another email is waiting now.</b> It has replaced the one below, which can no longer be decided on.</p>
      ${fields.map(
        (name) =>
          html`<div key=${name}>
            <p class="label">${name}</p>
            <${WordDiff} before=${before[name]} after=${now[name]} />
          </div>`,
      )}
      ${fields.length === 0 && html`<p>The words haven't changed.</p>`}
      <button type="button" class="button primary" onClick=${onSeen}>Look at the new email</button>
    </div>
  `;
}

/** Shown if the email no longer waits: who has decided on it, or that its run has ended. */
export function Meanwhile({ decided, mail }: { decided: Decided | "gone" | undefined; mail: PendingMail }) {
  const isKnown = decided !== undefined && decided !== "gone";
  const { value } = useLoad(isKnown || !may("feedback:read") ? undefined : `decision ${mail.rendering}`, (signal) =>
    decisionOn(mail, signal),
  );
  const found = isKnown ? decided : value;
  return html`
    <div class="notice warn" role="alert">
      ${
        found
          ? html`<b><${OneLine} text=${found.by} /></b> ${DID[found.decision]},
              <${Time} at=${found.decided_at} isFull />. That decision stands.`
          : html`<b>This email is no longer waiting.</b> Somebody has decided on it, or its run has ended.`
      }${" "}
      ${may("feedback:read") && html`<a href=${href(["runs", mail.workflow_id])}>See the run</a>`}
    </div>
  `;
}

async function decisionOn(
  { feedback_id: id, rendering }: PendingMail,
  signal: AbortSignal,
): Promise<Decided | undefined> {
  const { mails } = await getFeedback(id, signal);
  const decision = mails.find((one) => one.rendering === rendering)?.decision;
  return decision && { ...decision, decided_at: decision.time };
}
