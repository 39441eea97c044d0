// "Re:", "RE :", "Re[2]:", "re(3) :" and the full-width colon, once or many times.
const REPLY_PREFIXES = /^(?:re\s*(?:\[\d+\]|\(\d+\))?\s*[:\uFF1A]\s*)+/i;

/** All control characters, line ends of every kind and lone surrogates out, runs of white space to one space. */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    // eslint-disable-next-line no-control-regex -- control characters are what it is after
    .replaceAll(/[\s\u0000-\u001F\u007F-\u009F]+/g, " ")
    .trim();

/** The subject of the reply to a mail with this subject: `RE: ` before it, once, all on one line. */
export function replySubject(subject: string): string {
  const topic = oneLine(subject).replace(REPLY_PREFIXES, "");
  return `RE: ${topic}`.trim();
}
