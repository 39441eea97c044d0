/**
 * How a person gets to decide on what a run waits for: through a link to the console, where they
 * sign in. Never through a form in the client: the answer to a form comes from the same program
 * that runs the model, and the model must not approve.
 */
import { inputRequired, type InputRequest } from "@modelcontextprotocol/server";
import type { McpOffer } from "./offer.ts";

const NEEDS_APPROVAL = "A person has to approve what would go out; nothing has been sent, and you can't approve it.";

/** The URL where a person decides on a run; undefined if no console is known. */
export const approvalUrl = ({ consoleUrl }: Pick<McpOffer, "consoleUrl">, workflowId: string): string | undefined =>
  consoleUrl === undefined ? undefined : `${consoleUrl}/approvals/${encodeURIComponent(workflowId)}`;

/** The message to a model about a run that waits for approval. */
export const approvalWords = (url: string | undefined): string =>
  url === undefined ? NEEDS_APPROVAL : `${NEEDS_APPROVAL} They can look at it and decide here: ${url}`;

/** Asks the client to send its user to that URL. */
export const approvalRequest = (url: string): InputRequest =>
  inputRequired.elicitUrl({ message: "Look at what would be sent, then approve, edit or reject it.", url });
