import { z } from "zod";

/**
 * What became of a mail that came in. `processing`: a run was started by it. `recorded`: it was noted, and nothing more is to do.
 * `ignored`: it is none that anybody waits for an answer to. `needs_person`: it is kept until a person has decided. `duplicate`: it
 * was taken in before.
 */
export const MailReceipt = z.looseObject({
  status: z.enum(["processing", "recorded", "ignored", "needs_person", "duplicate"]),
  reason: z.string().optional().describe("Why, as a code: automatic_mail, unknown_sender, …"),
  message: z.string().optional().describe("The same for people."),
});

export type MailReceipt = z.output<typeof MailReceipt>;
