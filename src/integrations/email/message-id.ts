import { createHash } from "node:crypto";

const MAX_MESSAGE_ID_LENGTH = 500;

// RFC 5322 section 3.6.4, but with any printable character, because such ids occur in practice.
const MESSAGE_ID = /^<[!-;=?A-~]+@[!-;=?A-~]+>$/;

/**
 * Whether a value can be used unchanged in `Message-ID`, `In-Reply-To` or `References`:
 * `<local@domain>`, printable ASCII.
 */
export const isMessageId = (value: string): boolean =>
  value.length <= MAX_MESSAGE_ID_LENGTH && value.split("@").length === 2 && MESSAGE_ID.test(value);

/**
 * The message id for a key such as a feedback id. The same key always gives the same id, which
 * reveals nothing about the key.
 * @param domain of the sender, such as `mail.example.org`
 */
export function messageIdFor(key: string, domain: string): string {
  // UTF-16 distinguishes lone surrogates; UTF-8 would turn them all into the same replacement
  // character.
  const local = createHash("sha256").update(Buffer.from(key, "utf16le")).digest("hex").slice(0, 40);
  return `<${local}@${domain}>`;
}
