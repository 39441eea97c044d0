import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.ts";
import { isSend } from "../keys.ts";
import { WordDiff } from "../ui/word-diff.ts";
import type { PendingMail } from "./approvals-api.ts";
import { draftOf, keepDraft } from "./drafts.ts";

interface EditFormProps {
  mail: PendingMail;
  isBusy: boolean;
  onSend: (words: { subject: string; text: string }) => void;
  onCancel: () => void;
}

/** A form in which a person edits an email and sees the changes. */
export function EditForm({ mail, isBusy, onSend, onCancel }: EditFormProps) {
  const { rendering } = mail;
  const [subject, setSubject] = useState(draftOf(rendering).subject ?? mail.subject);
  const [text, setText] = useState(draftOf(rendering).text ?? mail.text);
  const onSubject = ({ currentTarget: { value } }: { currentTarget: HTMLInputElement }): void => {
    setSubject(value);
    keepDraft(rendering, { subject: value === mail.subject ? undefined : value });
  };
  const onText = ({ currentTarget: { value } }: { currentTarget: HTMLTextAreaElement }): void => {
    setText(value);
    keepDraft(rendering, { text: value === mail.text ? undefined : value });
  };
  const onDiscard = (): void => {
    keepDraft(rendering, { subject: undefined, text: undefined });
    onCancel();
  };
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    // Start at the beginning: browsers put the cursor at the end of a text, and scroll there.
    field.current?.setSelectionRange(0, 0);
    field.current?.focus();
  }, []);
  const isChanged = subject !== mail.subject || text !== mail.text;
  const canSend = isChanged && !isBusy && subject.trim() !== "" && text.trim() !== "";
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onCancel();
    if (isSend(event) && canSend) onSend({ subject, text });
  };
  return html`
    <form
      class="card form"
      aria-label="Edit the email"
      onKeyDown=${onKeyDown}
      onSubmit=${(event: Event) => {
        event.preventDefault();
        if (canSend) onSend({ subject, text });
      }}
    >
      <label>Subject <input type="text" dir="auto" value=${subject} maxlength="500" onInput=${onSubject} /></label>
      <label
        >Text
        <textarea ref=${field} dir="auto" rows="14" maxlength="20000" value=${text} onInput=${onText}></textarea>
      </label>
      <p class="muted">Your version is sent as plain text, to the same recipient.</p>
      <div class="actions">
        <button class="button primary" disabled=${!canSend}>Approve this version <kbd>Ctrl ↵</kbd></button>
        <button type="button" class="button plain" onClick=${onCancel}>Close <kbd>Esc</kbd></button>
        ${isChanged && html`<button type="button" class="button plain" onClick=${onDiscard}>Discard changes</button>`}
      </div>
      <div>
        <p class="label">Your changes</p>
        ${subject !== mail.subject && html`<${WordDiff} before=${mail.subject} after=${subject} />`}
        <${WordDiff} before=${mail.text} after=${text} />
      </div>
    </form>
  `;
}

export function RejectForm({
  mail: { rendering },
  isBusy,
  onReject,
  onCancel,
}: {
  mail: PendingMail;
  isBusy: boolean;
  onReject: (reason: string) => void;
  onCancel: () => void;
}) {
  const [reason, setReason] = useState(draftOf(rendering).reason ?? "");
  const onReason = ({ currentTarget: { value } }: { currentTarget: HTMLInputElement }): void => {
    setReason(value);
    keepDraft(rendering, { reason: value || undefined });
  };
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (key === "Escape") onCancel();
  };
  return html`
    <form
      class="card form"
      aria-label="Reject the email"
      onKeyDown=${onKeyDown}
      onSubmit=${(event: Event) => {
        event.preventDefault();
        if (!isBusy) onReject(reason.trim());
      }}
    >
      <label
        >Why not? One line, without names. You can leave it empty.
        <input ref=${field} type="text" dir="auto" maxlength="500" value=${reason} onInput=${onReason} />
      </label>
      <div class="actions">
        <button class="button danger" disabled=${isBusy}>Reject: send no email <kbd>↵</kbd></button>
        <button type="button" class="button plain" onClick=${onCancel}>Close <kbd>Esc</kbd></button>
      </div>
    </form>
  `;
}
