import { z } from "zod";

/**
 * The outcome of an incoming email. `processing`: it has started a run. `recorded`: it was stored,
 * and nothing else needs to be done. `ignored`: nothing is done, because nobody expects an answer
 * to it, or because its sender is unknown and such emails are ignored. `needs_person`: it is held
 * until a person has decided. `duplicate`: it had been received before.
 */
export const MailReceipt = z.looseObject({
  status: z.enum(["processing", "recorded", "ignored", "needs_person", "duplicate"]),
  reason: z.string().optional().describe("Why, as a code: automatic_mail, unknown_sender, …"),
  message: z.string().optional().describe("The same reason, for people."),
});

export type MailReceipt = z.output<typeof MailReceipt>;
