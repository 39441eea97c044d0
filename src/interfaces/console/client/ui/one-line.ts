import { html } from "../html.ts";

/**
 * Control characters other than tabs and line breaks, and marks that change the direction of
 * writing and so can disguise a text.
 */
const STEERING = /(?![\t\n\r])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** A text that is safe to show: steering characters are replaced by U+FFFD, which can be seen. */
export const plain = (text: string): string => text.replaceAll(STEERING, "\uFFFD");

/**
 * A subject, a name or an id from outside, drawn in its own direction and without an effect on the
 * text beside it.
 */
export const OneLine = ({ text }: { text: string }) => html`<bdi>${plain(text)}</bdi>`;
