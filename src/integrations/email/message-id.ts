import { createHash } from "node:crypto";

const MAX_MESSAGE_ID_LENGTH = 500;

// RFC 5322 section 3.6.4, with any printable character for the sake of the ids that are really out there.
const MESSAGE_ID = /^<[!-;=?A-~]+@[!-;=?A-~]+>$/;

/** Tells whether a value can stand in `Message-ID`, `In-Reply-To` or `References` as it is: `<local@domain>`, printable ASCII. */
export const isMessageId = (value: string): boolean =>
  value.length <= MAX_MESSAGE_ID_LENGTH && value.split("@").length === 2 && MESSAGE_ID.test(value);

/**
 * The message id that belongs to a key such as a feedback id: the same key, the same id, for good; it tells nothing of the key.
 * @param domain of the sender, such as `mail.example.org`
 */
export function messageIdFor(key: string, domain: string): string {
  // UTF-16 keeps lone surrogates apart, which UTF-8 would all turn into the same replacement character.
  const local = createHash("sha256").update(Buffer.from(key, "utf16le")).digest("hex").slice(0, 40);
  return `<${local}@${domain}>`;
}
