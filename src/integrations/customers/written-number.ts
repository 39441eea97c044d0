/** The character before the decimals. */
export type DecimalMark = "." | ",";

export type WrittenNumber =
  /** Has a `mark` if the number itself shows which decimal mark it uses. */
  | { kind: "number"; value: number; mark?: DecimalMark }
  /** `6.000`: either mark gives a number. */
  | { kind: "ambiguous"; value: Readonly<Record<DecimalMark, number>> }
  | { kind: "invalid" };

const INVALID: WrittenNumber = { kind: "invalid" };
const MAX_LENGTH = 60;

const CURRENCY = String.raw`(?:[A-Z]{0,3}\p{Sc}|[A-Z]{3})`;
const PARTS = new RegExp(
  String.raw`^([+-]?)\s*${CURRENCY}?\s*([+-]?)\s*([\d.,'’\s]*\d[.,]?(?:[eE][+-]?\d+)?)\s*${CURRENCY}?\s*(-?)$`,
  "u",
);
/** The dash of a price without cents: `50.-`, `5,–`. */
const NO_CENTS = /(?<=\d[.,])\s*[-–—]{1,2}(?!.*\d)/s;
const WITH_EXPONENT = /^(\d*)(?:([.,])(\d*))?(e[+-]?\d+)$/i;
/** Groups separated by spaces or apostrophes; decimals, if any, after either mark. */
const SPACED = /^(\d{1,3}(?:([\s'’])\d{3})(?:\2\d{3})*)(?:([.,])(\d*))?$/u;
const GROUPS = {
  // In India the groups before the last one have two digits: 12,34,567.
  ",": /^[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}$/,
  ".": /^[1-9]\d{0,2}(?:\.\d{3})+$/,
} as const;
const ONE_MARK = /^(\d*)([.,])(\d*)$/;

/**
 * A number as people and spreadsheets write it: `1.234,56`, `1,234.56`, `1 234,50`, `1'234.50`,
 * `€ 12`, `12 EUR`, `-5`, `5-`, `(5)`, `1e3`, `50.-`. It is ambiguous if a single point or comma
 * comes after one to three digits (the first not 0) and before exactly three: `6.000`.
 */
export function readNumber(text: string): WrittenNumber {
  if (text.length > MAX_LENGTH) return INVALID;
  const trimmed = text.trim().replaceAll("\u2212", "-").replace(NO_CENTS, "");
  const inner = /^\((.*)\)$/s.exec(trimmed)?.[1];
  const [whole, before = "", within = "", digits = "", after = ""] = PARTS.exec(inner ?? trimmed) ?? [];
  const signs = before + within + after;
  if (whole === undefined || signs.length > (inner === undefined ? 1 : 0)) return INVALID;
  if (after !== "" && /[.,]$/.test(digits)) return INVALID;
  return withSign(readDigits(digits), inner !== undefined || signs === "-");
}

/**
 * The number, if its own form or the other numbers in its column (`mark`) show how to read it;
 * otherwise undefined.
 */
export function numberFrom(read: WrittenNumber, mark?: DecimalMark): number | undefined {
  if (read.kind === "number") return read.value;
  return read.kind === "ambiguous" && mark !== undefined ? read.value[mark] : undefined;
}

/** Which decimal mark the numbers of one column use. */
export class NumberColumn {
  readonly #marks = new Set<DecimalMark>();

  add(value: unknown): void {
    const read = typeof value === "string" ? readNumber(value) : INVALID;
    if (read.kind === "number" && read.mark !== undefined) this.#marks.add(read.mark);
  }

  /** Undefined if no number shows it, or if numbers contradict each other. */
  get mark(): DecimalMark | undefined {
    const [mark, other] = this.#marks;
    return other === undefined ? mark : undefined;
  }
}

function readDigits(digits: string): WrittenNumber {
  const exponent = WITH_EXPONENT.exec(digits);
  if (exponent) return toNumber(`${exponent[1]}.${exponent[3] ?? ""}${exponent[4]}`, exponent[2]);
  const spaced = SPACED.exec(digits);
  if (spaced) return toNumber(`${spaced[1]?.replaceAll(/\D/g, "")}.${spaced[4] ?? ""}`, spaced[3]);
  if (/[^\d.,]/.test(digits)) return INVALID;

  const last = digits[Math.max(digits.lastIndexOf("."), digits.lastIndexOf(","))];
  if (last === undefined) return toNumber(digits);
  const one = ONE_MARK.exec(digits);
  if (one) return readOneMark(one[1] ?? "", last, one[3] ?? "");

  const other = last === "." ? "," : ".";
  if (isGrouped(digits, last)) return toNumber(digits.replaceAll(last, ""), other);
  const at = digits.indexOf(last);
  const integer = digits.slice(0, at);
  const decimals = digits.slice(at + 1);
  if (!isGrouped(integer, other) || /\D/.test(decimals)) return INVALID;
  return toNumber(`${integer.replaceAll(other, "")}.${decimals}`, last);
}

function readOneMark(integer: string, mark: string, decimals: string): WrittenNumber {
  const asDecimals = Number(`${integer}.${decimals}`);
  if (!/^[1-9]\d{0,2}$/.test(integer) || decimals.length !== 3) return toNumber(`${integer}.${decimals}`, mark);
  const asGroup = Number(integer + decimals);
  return {
    kind: "ambiguous",
    value: mark === "." ? { ".": asDecimals, ",": asGroup } : { ".": asGroup, ",": asDecimals },
  };
}

const isGrouped = (digits: string, separator: string): boolean => GROUPS[separator === "." ? "." : ","].test(digits);

function toNumber(text: string, mark?: string): WrittenNumber {
  const value = /\d/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) return INVALID;
  return { kind: "number", value, ...((mark === "." || mark === ",") && { mark }) };
}

function withSign(read: WrittenNumber, isNegative: boolean): WrittenNumber {
  if (!isNegative || read.kind === "invalid") return read;
  const negated = (value: number): number => (value === 0 ? 0 : -value);
  if (read.kind === "number") return { ...read, value: negated(read.value) };
  return { kind: "ambiguous", value: { ".": negated(read.value["."]), ",": negated(read.value[","]) } };
}
