import { ValidationError } from "../../src/errors.ts";
import { DEFAULT_NAMES, type Draft, type DraftTexts, type HostileNames, type HostileText } from "./hostile-text.ts";
import { elsewhere } from "./texts/elsewhere.ts";
import { encoded } from "./texts/encoded.ts";
import { fakeResults } from "./texts/fake-results.ts";
import { injections } from "./texts/injections.ts";
import { markup } from "./texts/markup.ts";
import { orders } from "./texts/orders.ts";
import { rolePlay } from "./texts/role-play.ts";

const STYLES: Readonly<Record<string, DraftTexts>> = {
  orders,
  "role-play": rolePlay,
  "fake-results": fakeResults,
  encoded,
  markup,
  injections,
  elsewhere,
};

/** Top-level domains in which no domain belongs to anyone (RFC 2606). */
const RESERVED = /\.(?:example|test|invalid|localhost)$/;

/**
 * Returns more than a hundred texts by attackers, in more than twenty languages: orders, role play,
 * faked tool results, encoded and invisible words, HTML and Markdown, and injections into the
 * systems behind an agent. They are in texts, subjects, names, ids and quoted mail.
 * @param names default: customer `C-1001`, victim `C-1002`, host `evil.example`
 * @throws ValidationError for a host that could belong to someone
 * @example hostileTexts({ customer: "cus_1", victim: "cus_2" }).filter(({ place }) => place ===
 *   "text")
 */
export function hostileTexts(names: Partial<HostileNames> = {}): HostileText[] {
  const known = { ...DEFAULT_NAMES, ...names };
  if (!RESERVED.test(known.host)) {
    throw new ValidationError(
      "The host of hostile texts must end in .example, .test, .invalid or .localhost: other hosts may belong to someone.",
    );
  }
  const cast = { ...known, address: `mallory@${known.host}` };
  return Object.entries(STYLES).flatMap(([style, draftTexts]) =>
    draftTexts(cast).map((draft, index) => textOf(style, index + 1, draft)),
  );
}

function textOf(style: string, number: number, draft: Draft): HostileText {
  const { language, payload, wishes, place = "text", meaning = payload } = draft;
  const name = `${style}-${number}`;
  const at = (where: string, ordinary: string): string => (place === where ? payload : ordinary);
  return {
    name,
    style,
    language,
    place,
    payload,
    meaning,
    wishes,
    feedback: {
      feedback_id: at("feedback_id", `H-${name}`),
      subject: at("subject", "The new search"),
      feedback_text: at("text", `I have a question about the new search, number ${number}.`),
    },
    customerName: at("customer_name", "Ada Lovelace"),
  };
}
