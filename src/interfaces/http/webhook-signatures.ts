/** Verifies events signed as Standard Webhooks (https://www.standardwebhooks.com). */
import { Webhook } from "standardwebhooks";
import { ConflictError, ValidationError } from "../../errors.ts";

/**
 * How far a timestamp may be from now. This is the limit of the library, which refuses anything
 * further away. Milliseconds.
 */
const TOLERANCE_MS = 5 * 60_000;
/**
 * How many signatures are remembered. Senders with the secret are trusted not to send more within
 * ten minutes.
 */
const MAX_REMEMBERED = 100_000;

const HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;

/** Whether a request claims to be signed. */
export const isSigned = ({ headers }: Request): boolean => headers.has("webhook-signature");

/**
 * Verifies signatures with any of several secrets, so that secrets can be rotated, and accepts each
 * signature once.
 */
export class WebhookSignatures {
  readonly #webhooks: readonly Webhook[];
  /** By message id and timestamp: the time when they can be forgotten. In order of arrival. */
  readonly #seen = new Map<string, number>();

  /**
   * @param secrets each `whsec_` and 24 to 64 bytes in base64
   * @throws ValidationError (`invalid_configuration`)
   */
  constructor(secrets: readonly string[]) {
    this.#webhooks = secrets.map(toWebhook);
  }

  /**
   * Checks that the sender signed this body.
   * @returns a function to call if the event was not accepted after all, so the sender may send it
   *   again
   * @throws ValidationError (`signature_invalid`) for a forged or outdated signature
   * @throws ConflictError (`webhook_replayed`) for a signature that was already used; a sender that
   *   retries must sign again
   */
  accept(request: Request, body: Buffer): () => void {
    const [id = "", timestamp = "", signature = ""] = HEADERS.map((name) => request.headers.get(name) ?? "");
    const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
    // The library also accepts a number with leading zeros or trailing text. The same signature
    // could then be used twice.
    const isNumber = /^[1-9]\d{0,14}$/.test(timestamp);
    if (!isNumber || !this.#webhooks.some((webhook) => isValid(webhook, body, headers))) {
      throw new ValidationError(
        "The signature is not valid for this body, or its timestamp is more than five minutes off. Sign the " +
          "body as Standard Webhooks describes, with a secret from HTTP_WEBHOOK_SECRETS.",
        { code: "signature_invalid" },
      );
    }
    return this.#once(`${id} ${timestamp}`);
  }

  #once(message: string): () => void {
    const now = Date.now();
    for (const [known, until] of this.#seen) {
      if (until > now && this.#seen.size < MAX_REMEMBERED) break;
      this.#seen.delete(known);
    }
    if (this.#seen.has(message)) {
      throw new ConflictError("This webhook was already received. To send it again, sign it again.", {
        code: "webhook_replayed",
      });
    }
    // Twice, because a timestamp may also be ahead of our clock.
    this.#seen.set(message, now + 2 * TOLERANCE_MS);
    return () => void this.#seen.delete(message);
  }
}

function isValid(webhook: Webhook, body: Buffer, headers: Record<string, string>): boolean {
  try {
    webhook.verify(body.toString("utf8"), headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

function toWebhook(secret: string, index: number): Webhook {
  const bytes = Buffer.from(secret.replace(/^whsec_/, ""), "base64").byteLength;
  if (!/^whsec_[A-Za-z0-9+/]+=*$/.test(secret) || bytes < 24 || bytes > 64) {
    throw new ValidationError(
      `HTTP_WEBHOOK_SECRETS: secret ${index + 1} is not whsec_ followed by 24 to 64 bytes in base64.`,
      { code: "invalid_configuration" },
    );
  }
  return new Webhook(secret);
}
