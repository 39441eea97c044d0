/**
 * Reasoning that a model writes into its answer between tags: DeepSeek R1 and Qwen `<think>`,
 * others `<thinking>`, Magistral `[THINK]`. Servers that know their model remove it, but many
 * don't.
 */
const OPENINGS = ["<think>", "<thinking>", "<reasoning>", "<thought>", "[think]"] as const;

const closingOf = (opening: string): string => `${opening[0]}/${opening.slice(1)}`;

const CLOSINGS = OPENINGS.map(closingOf);

const MAX_TAG_LENGTH = Math.max(...CLOSINGS.map(({ length }) => length));

interface Tag {
  at: number;
  tag: string;
}

/** The first of these tags in a text. The text must be in lower case, like the tags. */
function firstTag(text: string, tags: readonly string[], from = 0): Tag | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] !== "<" && text[at] !== "[") continue;
    const tag = tags.find((candidate) => text.startsWith(candidate, at));
    if (tag !== undefined) return { at, tag };
  }
  return undefined;
}

/**
 * Lower case without a change of length, because positions must stay valid in the original text.
 */
const lower = (text: string): string => text.replaceAll(/[A-Z]+/gu, (letters) => letters.toLowerCase());

/**
 * An answer without its reasoning. If the answer begins with a block that never ends, the rest is
 * hidden too: the model was cut off while it was thinking. A closing tag on its own ends reasoning
 * that began in the prompt, as in some chat templates.
 */
export function withoutReasoning(text: string): string {
  const filter = new ReasoningFilter();
  const visible = filter.push(text) + filter.end();
  const stray = strayClosing(visible);
  return stray === undefined ? visible : visible.slice(stray).trimStart();
}

/**
 * Where the text continues after a closing tag without an opening tag, if the tag is at the
 * beginning or the end of a line.
 */
function strayClosing(text: string): number | undefined {
  const lowered = lower(text);
  const found = firstTag(lowered, CLOSINGS);
  if (found === undefined) return undefined;
  const end = found.at + found.tag.length;
  const behind = /^[ \t]*(?:\r?\n|$)/u.test(text.slice(end, end + 100));
  const before = /(?:^|\n)[ \t]*$/u.test(text.slice(Math.max(0, found.at - 100), found.at));
  return behind || before ? end : undefined;
}

/**
 * Removes reasoning from an answer that comes in pieces. If the end of a piece may be the beginning
 * of a tag, it waits for the next piece.
 */
export class ReasoningFilter {
  /** The last few characters, which may be the beginning of a tag. */
  #pending = "";
  #opening: string | undefined;
  /** The block so far, in pieces, because joining them for each new one takes too long. */
  #block: string[] = [];
  #begun = false;
  #removed = false;

  /** Takes the next piece, and returns the new text that can be shown. */
  push(piece: string): string {
    const text = this.#pending + piece;
    const lowered = lower(text);
    let visible = "";
    let at = 0;
    for (;;) {
      if (this.#opening !== undefined) {
        const closing = firstTag(lowered, [closingOf(this.#opening)], at);
        if (closing === undefined) {
          this.#pending = text.slice(Math.max(at, text.length - MAX_TAG_LENGTH));
          this.#block.push(text.slice(at, text.length - this.#pending.length));
          return visible;
        }
        at = closing.at + closing.tag.length;
        this.#opening = undefined;
        this.#block = [];
        this.#removed = true;
      }
      const next = firstTag(lowered, OPENINGS, at);
      const end = next?.at ?? text.length - partialTag(lowered.slice(at));
      visible += this.#visible(text.slice(at, end));
      at = end;
      if (next === undefined) {
        this.#pending = text.slice(at);
        return visible;
      }
      this.#opening = next.tag;
    }
  }

  /** The rest, when the answer is complete. */
  end(): string {
    const text = this.#block.join("") + this.#pending;
    // Without text before the block, the model was cut off while it was thinking. After some text,
    // the tag was just a word.
    const rest = this.#opening !== undefined && !this.#begun ? "" : this.#visible(text);
    this.#block = [];
    this.#pending = "";
    return rest;
  }

  /** Spaces between the reasoning and the answer are not part of the answer. */
  #visible(text: string): string {
    const shown = this.#removed && !this.#begun ? text.trimStart() : text;
    if (shown.trim() !== "") this.#begun = true;
    return shown;
  }
}

/** How many characters at the end may be the beginning of a tag. */
function partialTag(text: string): number {
  const from = Math.max(0, text.length - MAX_TAG_LENGTH);
  for (let at = from; at < text.length; at += 1) {
    const end = text.slice(at);
    if (OPENINGS.some((tag) => tag.startsWith(end))) return end.length;
  }
  return 0;
}
