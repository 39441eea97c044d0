/** How the URLs of mail transports look, for settings and messages; for those who don't need the transports. */
import { invalidConfiguration } from "../../errors.ts";

export const MAIL_URL_KINDS = "smtp://, smtps://, or `outbox:<folder>` for .eml files";

const EXAMPLES =
  "smtp://user:password@host:587, smtps://user:password@host:465, outbox:folder or file:///path/of/a/folder";

/** What is wrong with the URL of a mail transport. */
export const invalidMailUrl = (problem: string) => invalidConfiguration(`${problem} Supported are ${EXAMPLES}.`);
