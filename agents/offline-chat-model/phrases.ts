/** What the offline model says about itself and its limits. */
export const SIGNATURE =
  "(I am the offline demo model: fixed rules, no language model. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.)";

const EXAMPLES = [
  "Process feedback F-1001 from customer C-1001, subject 'Login broken': I cannot log in since yesterday.",
  "Customer C-1007 wrote: 'Great product, thank you!' Do not reply.",
  "What is the sentiment of: The new release is a joy to use.",
  "Categorize: The invoice is wrong and nobody answers the phone.",
  "Analyse this text: The app crashes when I pay.",
  "What do we know about customer C-1001?",
  "What happened to feedback F-1001?",
];

export const HELP = `I understand a few plain requests, one at a time or as a list:\n${EXAMPLES.map((example) => `- ${example}`).join("\n")}\n${SIGNATURE}`;

export const MISSING = {
  customer_id: `Which customer is it from? I need the id, as in: Customer C-1007 wrote: '…'\n${SIGNATURE}`,
  clear_end:
    "I don't understand where your words end and the quoted ones begin, so I did nothing. Send one request at a " +
    "time, and put the text in quotation marks of a kind that it doesn't contain, as in: Customer C-1007 wrote: " +
    `"…"\n${SIGNATURE}`,
  text: `The text itself is missing. Put it after a colon, as in: Customer C-1007 wrote: '…'\n${SIGNATURE}`,
} as const;
