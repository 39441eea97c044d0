import { createHash } from "node:crypto";
import type * as StandardWebhooks from "standardwebhooks";
import { ValidationError } from "../../errors.ts";
import { HttpClient, refusal } from "../../http-client.ts";
import { WEBHOOK_RETRIES } from "../../retry-policies.ts";
import { requirePackage } from "../../runtime/require-package.ts";
import type { Notification, NotificationChannel } from "./notification-channel.ts";

const TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 1_000_000;

/**
 * Posts notifications to a URL as Standard Webhooks (https://www.standardwebhooks.com):
 * `{ type, timestamp, data }` as JSON, with the headers `webhook-id` (the same for every attempt),
 * `webhook-timestamp` and, if there is a secret, `webhook-signature`.
 */
export class WebhookChannel implements NotificationChannel {
  readonly name = "webhook_delivered";
  readonly #url: URL;
  readonly #client: HttpClient;
  readonly #signer: StandardWebhooks.Webhook | undefined;

  /**
   * @param secret 24 to 64 bytes in base64, with or without `whsec_` in front
   * @throws ValidationError for an invalid URL or secret
   */
  constructor(url: string, secret?: string) {
    this.#client = new HttpClient({
      name: "receiver of notifications",
      url,
      timeoutMs: TIMEOUT_MS,
      retries: WEBHOOK_RETRIES,
    });
    this.#url = this.#client.resolve(url);
    this.#signer = secret === undefined ? undefined : signerWith(secret);
  }

  async deliver({ id, type, time, ...data }: Notification): Promise<void> {
    const json = JSON.stringify({ type, timestamp: time.toISOString(), data });
    const messageId = `msg_${createHash("sha256").update(id).digest("hex").slice(0, 40)}`;
    // The time of the attempt, because receivers refuse old times to prevent replays.
    const now = new Date();
    const { status } = await this.#client.send({
      url: this.#url,
      json,
      headers: {
        "webhook-id": messageId,
        "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
        ...(this.#signer && { "webhook-signature": this.#signer.sign(messageId, now, json) }),
      },
      maxBytes: MAX_RESPONSE_BYTES,
    });
    if (status >= 200 && status <= 299) return;
    throw refusal(
      "receiver of notifications",
      status,
      `The receiver of notifications refused a notification (HTTP ${status}). Check NOTIFY_URL and the secret that both sides have.`,
      "notification_rejected",
    );
  }
}

const SECRET = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/;

function signerWith(secret: string): StandardWebhooks.Webhook {
  const [, base64 = ""] = SECRET.exec(secret) ?? [];
  const { length } = Buffer.from(base64, "base64");
  if (length < 24 || length > 64) {
    throw new ValidationError(
      "NOTIFY_SECRET (notifySecret) must be whsec_ followed by 24 to 64 random bytes in base64: make them with " +
        "`openssl rand -base64 32`.",
      { code: "invalid_configuration" },
    );
  }
  const { Webhook } = requirePackage("standardwebhooks") as typeof StandardWebhooks;
  return new Webhook(secret);
}
