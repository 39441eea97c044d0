/**
 * Whether a person can see anything in a text besides spaces (including the braille one), control
 * characters and zero-width characters.
 */
export const isVisible = (text: string): boolean => /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);

/** Characters that control a terminal, change the writing direction or are invisible. */
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`;

const HAS_UNSEEN = new RegExp(UNSEEN, "v");
const IS_UNSEEN = new RegExp(`^${UNSEEN}$`, "v");

let emojiOrUnseen: RegExp | undefined;
/**
 * Emoji are matched first, because some contain characters that are invisible on their own. Created
 * on first use, because creating it takes longer than starting Node.js.
 */
const emojiOrUnseenPattern = (): RegExp => (emojiOrUnseen ??= new RegExp(String.raw`\p{RGI_Emoji}|${UNSEEN}`, "gv"));

/** The escape sequence of a character in JSON and JavaScript, such as `\u001b`. */
const escape = (character: string): string =>
  character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * Replaces each invisible character by its escape sequence, such as `\u001b`, unless it is part of
 * an emoji.
 * @param kept other characters to keep, such as line breaks
 */
export function withEscapes(text: string, kept = ""): string {
  const others = Array.from(kept).reduce((rest, character) => rest.replaceAll(character, ""), text);
  if (!HAS_UNSEEN.test(others)) return text;
  return text.replaceAll(emojiOrUnseenPattern(), (match) =>
    IS_UNSEEN.test(match) && !kept.includes(match) ? escape(match) : match,
  );
}

/**
 * Applies `withEscapes` to a JSON text, so that it can't control a terminal when it is printed. The
 * escapes don't change its meaning. Line breaks stay.
 */
export const visibleJson = (json: string): string => withEscapes(json, "\n");
