/** Whether a person sees anything of it: more than blanks (the braille one too), control characters and what has no width. */
export const isVisible = (text: string): boolean => /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);

/**
 * What commands a terminal, turns the direction of writing or cannot be seen. Emoji come first: some are made with characters that
 * cannot be seen by themselves.
 */
const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`;

const HAS_UNSEEN = new RegExp(UNSEEN, "v");
const IS_UNSEEN = new RegExp(`^${UNSEEN}$`, "v");

let emojiOrUnseen: RegExp | undefined;
/** Made when it is needed: to make it takes longer than Node.js takes to start. */
const emojiOrUnseenPattern = (): RegExp => (emojiOrUnseen ??= new RegExp(String.raw`\p{RGI_Emoji}|${UNSEEN}`, "gv"));

/** The escape of a character as JSON and JavaScript have it, `\u001b`. */
const escape = (character: string): string =>
  character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * Text with each character that nobody sees as its escape, `\u001b`; those that are part of an emoji stay.
 * @param kept characters that stay as well, such as line breaks
 */
export function withEscapes(text: string, kept = ""): string {
  const others = Array.from(kept).reduce((rest, character) => rest.replaceAll(character, ""), text);
  if (!HAS_UNSEEN.test(others)) return text;
  return text.replaceAll(emojiOrUnseenPattern(), (match) =>
    IS_UNSEEN.test(match) && !kept.includes(match) ? escape(match) : match,
  );
}

/** Text that is JSON with such escapes, which mean the same in it: what is printed cannot command a terminal. Line breaks stay. */
export const visibleJson = (json: string): string => withEscapes(json, "\n");
