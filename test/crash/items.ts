// What the crash test works on: the same every time.
const CUSTOMERS = 100;

const TEXTS = [
  "The product is great and I love the new design!",
  "I was charged twice this month and nobody answers my mails.",
  "It crashes every time I open the settings. Not good at all, but support was friendly.",
  "Is there a way to export my data as a spreadsheet?",
];

/** Customers as CSV: every seventh gets personal attention, every eleventh wants no mail. */
export const customersCsv = (): string =>
  [
    "id,name,email,segment,do_not_contact",
    ...Array.from(
      { length: CUSTOMERS },
      (_, n) => `C-${n},Customer ${n},c${n}@example.net,${n % 7 === 0 ? "premium" : "standard"},${n % 11 === 0}`,
    ),
  ].join("\n");

/** The `n`th feedback. Its id is its subject as well, by which a mail can be told without its Message-ID. */
export const feedbackItem = (n: number) => ({
  feedback_id: `F-${n}`,
  customer_id: `C-${(n * 37) % CUSTOMERS}`,
  subject: `F-${n}`,
  feedback_text: `${TEXTS[n % TEXTS.length]} (${n})`,
  send_response: n % 5 !== 4,
});
