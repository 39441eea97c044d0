import { readIdentifier } from "../../../src/identifier.ts";
import { mailText } from "../approvals/view.ts";
import { escapedText, note, oneLine, print } from "../../terminal/output.ts";
import type { MailAction, MailDecision, MailReviewRequest } from "../../../agents/approval/mail-review.ts";
import { prompted } from "./prompt.ts";

/**
 * Shows each email that waits and asks the person at the terminal to decide on it. Emails that
 * someone has already decided on are not shown.
 */
export async function reviewMails({ actionRequests, reviewConfigs }: MailReviewRequest): Promise<MailDecision[]> {
  const decisions: MailDecision[] = [];
  const open = actionRequests.filter(({ decided }) => !decided);
  for (const [index, action] of actionRequests.entries()) {
    if (action.decided) {
      decisions.push(null);
      continue;
    }
    show(action, open.length > 1 ? ` (${open.indexOf(action) + 1} of ${open.length})` : "");
    decisions.push(await ask(action, reviewConfigs[index]!.allowedDecisions.includes("edit")));
  }
  return decisions;
}

function show({ mail, note: why }: MailAction, place: string): void {
  print();
  if (why !== undefined) note(oneLine(why));
  note(`This email waits for you${place}:`);
  print();
  print(mailText(mail));
  print();
}

async function ask({ mail }: MailAction, editable: boolean): Promise<MailDecision> {
  const choice = await prompted(({ select }, terminal) =>
    select({
      ...terminal,
      message: `The email to ${oneLine(mail.recipient)}`,
      options: [
        { value: "approve", label: "Approve", hint: "it goes out as it is" },
        ...(editable ? [{ value: "edit", label: "Edit", hint: "your words go out" }] : []),
        { value: "reject", label: "Reject", hint: "nothing goes out" },
        { value: "later", label: "Later", hint: "it keeps waiting" },
      ],
    }),
  );
  if (choice === "approve") return { type: "approve" };
  if (choice === "edit") return edit(mail);
  if (choice === "reject") return reject();
  return null;
}

async function edit({ subject, text }: MailAction["mail"]): Promise<MailDecision> {
  const newSubject = await prompted((prompts, terminal) =>
    prompts.text({ ...terminal, message: "Subject", initialValue: oneLine(subject) }),
  );
  if (newSubject === undefined) return null;
  const newText = await prompted(({ multiline }, terminal) =>
    multiline({ ...terminal, message: "Text", initialValue: escapedText(text.trimEnd()), showSubmit: true }),
  );
  return newText === undefined ? null : { type: "edit", subject: newSubject, text: newText };
}

async function reject(): Promise<MailDecision> {
  const reason = await prompted((prompts, terminal) =>
    prompts.text({ ...terminal, message: "Why not? The reason is stored in the result.", placeholder: "no reason" }),
  );
  if (reason === undefined) return null;
  return { type: "reject", ...(reason.trim() !== "" && { message: reason.trim() }) };
}

/** Asks for the person's name, which is stored with the decision. */
export const askName = async (initialValue: string): Promise<string | undefined> => {
  const name = await prompted((prompts, terminal) =>
    prompts.text({
      ...terminal,
      message: "Who decides? Your name is stored with the decision.",
      initialValue,
      validate: faultOfName,
    }),
  );
  return name?.trim() || undefined;
};

/**
 * What is wrong with a name; undefined if nothing is. It is checked here because it is kept for
 * later decisions, and decisions under an invalid name are refused. An empty name decides nothing,
 * and is not kept.
 */
function faultOfName(name: string | undefined): string | undefined {
  if (!name?.trim()) return undefined;
  try {
    readIdentifier("Your name", name);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
