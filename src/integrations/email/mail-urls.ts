/**
 * The form of mail transports' URLs, for settings and messages. Separate, so that importing it does
 * not load the transports.
 */
import { invalidConfiguration } from "../../errors.ts";

export const MAIL_URL_KINDS = "smtp://, smtps://, or `outbox:<folder>` for .eml files";

const EXAMPLES =
  "smtp://user:password@host:587, smtps://user:password@host:465, outbox:folder or file:///path/of/a/folder";

/** The error for an invalid mail transport URL. */
export const invalidMailUrl = (problem: string) => invalidConfiguration(`${problem} Supported are ${EXAMPLES}.`);
