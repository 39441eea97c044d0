// The input of the crash test, and people's decisions: the same every time.
const CUSTOMERS = 100;

const TEXTS = [
  "The product is great and I love the new design!",
  "I was charged twice this month and nobody answers my emails.",
  "It crashes every time I open the settings. Not good at all, but support was friendly.",
  "Is there a way to export my data as a spreadsheet?",
];

/** Customers as CSV: every seventh gets personal attention, every eleventh wants no email. */
export const customersCsv = (): string =>
  [
    "id,name,email,segment,do_not_contact",
    ...Array.from(
      { length: CUSTOMERS },
      (_, n) => `C-${n},Customer ${n},c${n}@example.net,${n % 7 === 0 ? "premium" : "standard"},${n % 11 === 0}`,
    ),
  ].join("\n");

/**
 * The `n`th feedback. Its id is also its subject, which identifies an email without its Message-ID.
 */
export const feedbackItem = (n: number) => ({
  feedback_id: `F-${n}`,
  customer_id: `C-${(n * 37) % CUSTOMERS}`,
  subject: `F-${n}`,
  feedback_text: `${TEXTS[n % TEXTS.length]} (${n})`,
  send_response: n % 5 !== 4,
});

/**
 * The decision that a person makes on the email for the `n`th feedback, if there is one; undefined
 * if nobody is asked. Most are approvals.
 */
export function verdict(n: number): "approve" | "edit" | "reject" | undefined {
  if (n % 3 > 0) return undefined;
  return ({ 5: "edit", 6: "reject" } as const)[(n / 3) % 7] ?? "approve";
}

/** The same by the feedback's id. */
export const verdictOn = (feedbackId: string) => verdict(numberOf(feedbackId));

/** `n` of the `n`th feedback. */
export const numberOf = (feedbackId: string): number => Number(feedbackId.slice("F-".length));

/** The text of an edit as it is received. */
export const editedText = (feedbackId: string): string => `A person's own words about ${feedbackId}.\n`;
