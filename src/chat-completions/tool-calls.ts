import { withoutAbsent, isObject } from "../json.ts";

/** A tool call as it was understood. */
export interface WireToolCall {
  /** As sent by the server, or empty. */
  id: string;
  name: string;
  /** Absent if it is not a complete JSON object. */
  args?: Record<string, unknown>;
  /** The arguments as received, for the log and the model. */
  text: string;
  /**
   * Fields of other vendors, which their servers want back: Gemini's `extra_content` with its
   * thought signature.
   */
  extra: Record<string, unknown>;
}

/**
 * The arguments of a tool call, in every form that can be understood without guessing: an object,
 * its JSON text, that text encoded as JSON once or twice more, JSON with raw line breaks and tabs
 * in its strings, and nothing at all for a tool without parameters. Undefined for everything else.
 */
export function parseArguments(value: unknown): Record<string, unknown> | undefined {
  let parsed = value;
  // The standard is to encode once, but some servers encode more often.
  for (let depth = 0; depth < 3 && typeof parsed === "string"; depth += 1) {
    if (parsed.trim() === "") return {};
    try {
      parsed = JSON.parse(withEscapedControls(parsed)) as unknown;
    } catch {
      return undefined;
    }
  }
  if (parsed === undefined || parsed === null) return {};
  return isObject(parsed) ? parsed : undefined;
}

const JSON_STRING = /"(?:[^"\\]|\\[^])*"/gu;
// oxlint-disable-next-line no-control-regex -- they are what JSON forbids in strings
const CONTROL = /[\u0000-\u001f]/gu;

/** Escapes line breaks and other control characters in JSON's strings, as JSON requires. */
const withEscapedControls = (json: string): string =>
  json.replaceAll(JSON_STRING, (text) => text.replaceAll(CONTROL, (control) => JSON.stringify(control).slice(1, -1)));

interface Draft {
  id: string;
  index: number | undefined;
  name: string;
  pieces: string[];
  /**
   * All pieces together. Kept in addition to them, because joining them for each new piece takes
   * too long.
   */
  text: string;
  /** The end of that text. Kept separately, because reading a growing text copies all of it. */
  ending: string;
  extra: Record<string, unknown>;
}

type Fragment = Omit<Draft, "pieces" | "ending">;

const textOf = (value: unknown): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** Some servers send -1, or a number as text. Undefined if there is no index. */
function readIndex(value: unknown): number | undefined {
  const index = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return Number.isInteger(index) ? (index as number) : undefined;
}

const KNOWN_FIELDS = new Set(["id", "index", "type", "function", "name", "args", "arguments"]);

/** Reads OpenAI's form `{id, function: {name, arguments}}` and LangChain's `{id, name, args}`. */
function readFragment(entry: unknown): Fragment | undefined {
  if (!isObject(entry)) return undefined;
  const named = isObject(entry["function"]) ? entry["function"] : entry;
  const { id } = entry;
  const { name } = named;
  return {
    id: typeof id === "string" || typeof id === "number" ? String(id) : "",
    index: readIndex(entry["index"]),
    name: typeof name === "string" ? name.trim() : "",
    text: textOf(named["arguments"] ?? named["args"]),
    extra: Object.fromEntries(Object.entries(entry).filter(([key]) => !KNOWN_FIELDS.has(key))),
  };
}

/** Looks at the end first, because this is called for every piece, and most pieces end nothing. */
const isWhole = (text: string, ending = endOf(text)): boolean =>
  /[}"l]\s*$/u.test(ending) && parseArguments(text) !== undefined;

const endOf = (text: string): string => text.slice(-100);

const isSameJson = (one: string, other: string): boolean => {
  if (one === other) return true;
  const [first, second] = [parseArguments(one), parseArguments(other)];
  return first !== undefined && second !== undefined && JSON.stringify(first) === JSON.stringify(second);
};

/**
 * Assembles streamed tool calls. In the standard, `index` says which call a piece belongs to, and
 * only the first piece has id and name. Servers deviate: no index, index 0 for all calls, no id, id
 * or name in each piece, the whole call again at the end. A piece counts as part of a call unless
 * something contradicts that. Once the arguments are complete, a piece with another id begins
 * another call, and so does one with a name, unless it has the same arguments or none.
 */
export class ToolCallCollector {
  readonly #drafts: Draft[] = [];
  readonly #tools: readonly string[];

  /** @param tools the names of the tools that can be called, if they are known */
  constructor(tools: readonly string[] = []) {
    this.#tools = tools;
  }

  /** The `tool_calls` of one delta, or of a whole message. */
  add(entries: unknown): void {
    if (!Array.isArray(entries)) return;
    const earlier = this.#drafts.length;
    for (const entry of entries) {
      const fragment = readFragment(entry);
      if (fragment !== undefined) this.#place(fragment, earlier);
    }
  }

  get isEmpty(): boolean {
    return this.#drafts.length === 0;
  }

  /**
   * `cutOff`: the model reached its length limit. The last call is then incomplete if it has no
   * arguments yet.
   */
  finish({ cutOff }: { cutOff: boolean }): WireToolCall[] {
    return this.#drafts.map(({ id, name, pieces, text, extra }, nth) => {
      const half = cutOff && nth === this.#drafts.length - 1 && text.trim() === "";
      const args = half ? undefined : (parseArguments(text) ?? repeatedWhole(pieces));
      return { id, name: this.#toolNamed(name), text, extra, ...withoutAbsent({ args }) };
    });
  }

  #place(fragment: Fragment, earlier: number): void {
    const draft = this.#draftFor(fragment, earlier);
    if (draft === undefined) {
      const pieces = fragment.text === "" ? [] : [fragment.text];
      this.#drafts.push({ ...fragment, pieces, ending: endOf(fragment.text) });
      return;
    }
    draft.id ||= fragment.id;
    draft.name = this.#continuedName(draft, fragment) ?? (draft.name || fragment.name);
    draft.index ??= fragment.index;
    Object.assign(draft.extra, fragment.extra);
    // Check the piece first: most pieces are short and repeat nothing, so the text so far need not
    // be read.
    const repeated =
      isWhole(fragment.text) && isWhole(draft.text, draft.ending) && isSameJson(draft.text, fragment.text);
    if (fragment.text === "" || repeated) return;
    draft.pieces.push(fragment.text);
    draft.text += fragment.text;
    draft.ending = endOf(draft.ending + fragment.text);
  }

  /** The call that this piece continues; undefined if it begins a new one. */
  #draftFor(fragment: Fragment, earlier: number): Draft | undefined {
    const at = this.#drafts.findLastIndex((draft) => isSameCall(draft, fragment));
    const draft = this.#drafts[at];
    if (draft === undefined) return undefined;
    if (fragment.name === "") return draft;
    // Two named entries of one list are two calls.
    if (at >= earlier) return undefined;
    if (draft.name !== "" && draft.name !== fragment.name)
      return this.#continuedName(draft, fragment) === undefined ? undefined : draft;
    if (isWhole(draft.text, draft.ending))
      return fragment.text === "" || isSameJson(draft.text, fragment.text) ? draft : undefined;
    return draft;
  }

  /**
   * The name so far plus this piece, if together they begin the name of a tool and are not both
   * names of tools themselves.
   */
  #continuedName(draft: Draft, { name }: Fragment): string | undefined {
    if (draft.name === "" || name === "" || isWhole(draft.text, draft.ending)) return undefined;
    if (this.#tools.includes(draft.name) && this.#tools.includes(name)) return undefined;
    const longer = draft.name + name;
    return this.#tools.some((tool) => tool.startsWith(longer)) ? longer : undefined;
  }

  /**
   * The tool meant by a name that begins with a namespace (`functions.search`) or ends with a
   * special token of the model.
   */
  #toolNamed(name: string): string {
    const word = /([\w-]+)(?:<\|.*)?$/su.exec(name)?.[1] ?? name;
    return !this.#tools.includes(name) && this.#tools.includes(word) ? word : name;
  }
}

/** Whether id and index allow the piece to belong to this call. */
function isSameCall(draft: Draft, { id, index, name, text }: Fragment): boolean {
  const sameIndex = index === undefined || draft.index === undefined || index === draft.index;
  if (!sameIndex) return false;
  if (id === "" || draft.id === "" || id === draft.id) return true;
  // Some servers give each piece of a call a new id. A piece that can't begin a call continues one.
  return index !== undefined && (name === "" || !/^\s*(?:$|[{"n])/u.test(text)) && !isWhole(draft.text, draft.ending);
}

/**
 * The arguments, if a server sends everything so far each time, or the whole again after the
 * pieces.
 */
function repeatedWhole(pieces: readonly string[]): Record<string, unknown> | undefined {
  const last = pieces.at(-1) ?? "";
  const before = pieces.slice(0, -1);
  if (before.length === 0 || !isWhole(last)) return undefined;
  const growing = before.every((piece) => last.startsWith(piece));
  return growing || isSameJson(before.join(""), last) ? parseArguments(last) : undefined;
}
