/** One email and the decision on it. A decision applies to exactly the email on the screen. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, isSignedOut } from "../api.ts";
import { html } from "../html.ts";
import { useKeys } from "../keys.ts";
import { useLoad } from "../load.ts";
import { href } from "../router.ts";
import { may } from "../session.ts";
import { MailView } from "../ui/mail-view.ts";
import { OneLine, plain } from "../ui/one-line.ts";
import { Empty, Pending } from "../ui/states.ts";
import { say } from "../ui/toast.ts";
import { Answered } from "./answered.ts";
import { addressOf, approve, edit, getPending, reject, type Decided, type PendingMail } from "./approvals-api.ts";
import { Changed, Meanwhile } from "./changed.ts";
import { draftOf, dropDraft } from "./drafts.ts";
import { EditForm, RejectForm } from "./forms.ts";
import { correctionsOf, LabelsForm, type Corrections } from "./labels.ts";

const DONE = { approve: "Approved", edit: "Approved in your version", reject: "Rejected" } as const;

/**
 * How long an email must be on the screen before it can be approved, because a click or a key may
 * have been meant for the previous one. Milliseconds.
 */
const ARMED_AFTER_MS = 700;

type Mode = "look" | "edit" | "reject";

interface DecideProps {
  id: string;
  onDecided: () => void;
  /**
   * Whether it is one of several things on a page, as in the chat. It then has no keys, and shows
   * neither the feedback that the email answers nor its labels.
   */
  isEmbedded?: boolean;
  /**
   * Whether it takes the focus when it appears, if nothing else has it. Set after a decision on
   * another email.
   */
  takesFocus?: boolean;
}

export function Decide({ id, onDecided, isEmbedded = false, takesFocus = false }: DecideProps) {
  /**
   * Set when this person decides. Reset only if the decision fails: after a success, the page moves
   * on to another email.
   */
  const [isBusy, setIsBusy] = useState(false);
  const {
    value: now,
    error,
    reload,
    // Not loaded while busy: once the decision is made, nothing waits, and the answer would be 404.
  } = useLoad(isBusy ? undefined : id, (signal) => getPending(id, signal), {
    changesWith: ({ workflow_id }) => workflow_id === id,
  });
  // The email on the screen stays until the person acknowledges another one.
  const [seen, setSeen] = useState<PendingMail>();
  const [chosen, setChosen] = useState<Corrections>({});
  const [mode, setMode] = useState<Mode>("look");
  const [conflict, setConflict] = useState<Decided | "gone">();
  useEffect(() => {
    if (now && !seen) setSeen(now);
  }, [now]);

  const isGone =
    conflict === "gone" || (seen !== undefined && (error?.code === "nothing_waits" || error?.status === 404));
  const hasChanged = seen !== undefined && now !== undefined && now.rendering !== seen.rendering && !isGone;
  // The element that had the focus may have been removed: a form, or the previous email.
  const article = useRef<HTMLElement>(null);
  const isArrival = useRef(!takesFocus);
  useEffect(() => {
    if (!seen || isEmbedded) return;
    if (!isArrival.current && document.activeElement === document.body) article.current?.focus({ preventScroll: true });
    isArrival.current = false;
  }, [seen, mode, isBusy]);
  const armed = useArmed(seen?.rendering);
  const canDecide = seen !== undefined && !hasChanged && !isGone && conflict === undefined && !isBusy;

  const decide = async (take: (mail: PendingMail, corrections: Corrections) => Promise<Decided>): Promise<void> => {
    if (!seen || !canDecide) return;
    setIsBusy(true);
    try {
      const { decision } = await take(seen, correctionsOf(seen, chosen));
      dropDraft(seen.rendering);
      say(`${DONE[decision]}: ${plain(seen.subject)}`);
      onDecided();
    } catch (failure) {
      setIsBusy(false);
      if (!(failure instanceof ApiError)) throw failure;
      if (failure.code === "already_decided") setConflict(failure.standing as Decided);
      else if (failure.code === "run_ended") setConflict("gone");
      else if (!isSignedOut.value)
        say(failure.fields[0] ? `${failure.fields[0].field} ${failure.fields[0].message}` : failure.message, "bad");
    }
  };
  const canApprove = canDecide && armed === seen.rendering;
  // The second click of a double click may hit another email than the first.
  const onApprove = (event: Event): void => {
    if (canApprove && !(event instanceof MouseEvent && event.detail > 1)) void approveSeen();
  };
  const approveSeen = () => decide(({ rendering }, corrections) => approve(id, rendering, corrections));
  const open = (next: Mode) => (): void => {
    if (canDecide) setMode(next);
  };
  const choices = [
    { name: "Approve", key: "a", tone: "primary", isPossible: canApprove, choose: onApprove },
    { name: "Edit", key: "e", tone: "", isPossible: canDecide, choose: open("edit") },
    { name: "Reject", key: "r", tone: "danger", isPossible: canDecide, choose: open("reject") },
  ];
  useKeys(
    isEmbedded
      ? {}
      : {
          ...(mode === "look" && Object.fromEntries(choices.map(({ key, choose }) => [key, choose]))),
          Escape: () => setMode("look"),
        },
  );

  if (!seen) {
    return error?.code === "nothing_waits"
      ? html`<${Empty} title="This email is no longer waiting"
          >${may("feedback:read") && html`<a href=${href(["runs", id])}>See what happened</a>`}<//
        >`
      : html`<${Pending} error=${error} retry=${reload} rows=${10} label="Loading the email" />`;
  }
  const { subject, text } = draftOf(seen.rendering);
  return html`
    <article class="decide" ref=${article} tabindex="-1" aria-label=${`Email to ${seen.recipient}`}>
      ${!isEmbedded && html`<p class="crumbs only-narrow"><a href=${addressOf()}>Approvals</a></p>`}
      ${(isGone || conflict) && html`<${Meanwhile} decided=${conflict} mail=${seen} />`}
      ${
        hasChanged &&
        html`<${Changed}
          before=${seen}
          now=${now}
          onSeen=${() => {
            setSeen(now);
            setMode("look");
          }}
        />`
      }
      ${seen.refusal && html`<p class="notice bad">The mail server refused this email before: <${OneLine} text=${seen.refusal} /></p>`}
      ${
        mode === "look" &&
        html`<div class="bar" role="toolbar" aria-label="Decision">
          ${choices.map(
            ({ name, key, tone, isPossible, choose }) => html`
              <button
                key=${key}
                type="button"
                class=${`button ${tone}`}
                disabled=${!isPossible}
                onClick=${choose}
                aria-keyshortcuts=${isEmbedded ? undefined : key}
              >
                ${name} ${!isEmbedded && html`<kbd>${key}</kbd>`}
              </button>
            `,
          )}
        </div>`
      }
      ${
        mode === "look" &&
        (subject ?? text) !== undefined &&
        html`<p class="notice">
          You have started to edit this email, and your changes are kept. Edit opens them again; Approve sends the email
          below, without them.
        </p>`
      }
      ${mode === "reject" && html`<${RejectForm} mail=${seen} isBusy=${!canDecide} onCancel=${() => setMode("look")} onReject=${(reason: string) => decide(({ rendering }, corrections) => reject(id, rendering, reason, corrections))} />`}
      <div class=${isEmbedded ? "" : "decide-columns"}>
        <section aria-label="The email">
          ${mode === "edit" && html`<${EditForm} mail=${seen} isBusy=${!canDecide} onCancel=${() => setMode("look")} onSend=${(words: { subject: string; text: string }) => decide(({ rendering }, corrections) => edit(id, { rendering, ...words, ...corrections }))} />`}
          <${MailView} mail=${seen} />
        </section>
        ${
          !isEmbedded &&
          html`<div class="decide-side">
            <${Answered} mail=${seen} />
            <${LabelsForm} judged=${seen} chosen=${chosen} isBusy=${!canDecide} onChange=${setChosen} />
          </div>`
        }
      </div>
      <p class="rendering muted">
        Your decision applies to exactly this email (rendering${" "}<code class="id" title=${seen.rendering}
          >${seen.rendering.slice(0, 12)}</code
        >).
      </p>
    </article>
  `;
}

/** This rendering, once it has been on the screen for long enough to be approved. */
function useArmed(rendering: string | undefined): string | undefined {
  const [armed, setArmed] = useState<string>();
  useEffect(() => {
    if (rendering === undefined) return undefined;
    const timer = setTimeout(() => setArmed(rendering), ARMED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [rendering]);
  return armed;
}
