/**
 * The prefixes that mail programs put before the subject, in several languages: those of replies,
 * then those of forwarded emails. A reply to either gets exactly one `RE:` of ours.
 */
const PREFIX_WORDS = [
  "re|aw|antw\\.?|antwort|sv|r(?:é|e\u0301)(?:p|f|ponse)|rif|odp|odg|ynt|απ|σχετ|vá|回复|回覆|答复|答覆|返信|회신|رد|تعليق|השב|תגובה|отв|ответ",
  "fw|fwd|wg|vb|rv|enc|pd|fs|vl|doorst|İlt|ilt|πρθ|转发|轉寄|轉發|転送|전달|إعادة توجيه|הועבר|пер",
];

// "Re:", "RE :", "Re[2]:", "re(3) :", "RE^2:" and the full-width colon. Direction marks may come
// before, and the tag for an email from outside.
const PREFIX = new RegExp(
  `^[\\u200E\\u200F\\u061C\\uFEFF]*(?:\\[EXT(?:ERN(?:AL)?)?\\]\\s*)?(?:(${PREFIX_WORDS.join("|")})|(tr|i)|r|vs|res)\\s?(?:\\[\\d+\\]|\\(\\d+\\)|\\^\\d+)?\\s?[:\\uFF1A]\\s*`,
  "iu",
);

/**
 * The text on one line. White space, line ends and control characters become one space, lone
 * surrogates become U+FFFD, and characters that change the direction of the rest of the line are
 * removed.
 */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, "")
    // eslint-disable-next-line no-control-regex -- control characters are what it removes
    .replaceAll(/[\s\u0000-\u001F\u007F-\u009F]+/g, " ")
    .trim();

/**
 * The subject of the reply to an email with this subject: on one line, with exactly one `RE: ` in
 * front. `R:`, `I:`, `TR:`, `VS:` and `RES:` count as prefixes only next to another one, because a
 * subject may begin with them ("I: have a problem"). `TR:` and `I:` are kept right before the
 * topic, because the topic may begin with them, too ("TR: 303").
 */
export function replySubject(subject: string): string {
  const line = oneLine(subject);
  let topic = line;
  let rest = line;
  let count = 0;
  let hasWord = false;
  for (let found = PREFIX.exec(rest); found; found = PREFIX.exec(rest)) {
    const [prefix, word, forwarded] = found;
    rest = rest.slice(prefix.length);
    if (forwarded === undefined) topic = rest;
    count += 1;
    hasWord ||= word !== undefined;
  }
  return `RE: ${count > 1 || hasWord ? topic : line}`.trim();
}
