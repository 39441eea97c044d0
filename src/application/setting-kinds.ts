/**
 * The types of settings. Unlike the schemas of all other input, they don't use Zod: every command
 * reads settings, and some commands take less time than loading Zod.
 */
import { DURATION } from "../duration.ts";
import { isUrlLike } from "../secrets.ts";

/**
 * Parses a given value, or throws `InvalidSetting` with what is wrong, in words that follow the
 * setting's name. `Given` is the type of the values that the setting's option accepts.
 */
export type Kind<Value, Given = Value> = ((value: unknown) => Value) & { readonly given?: Given };

/** Never contains the value, which may be a secret. */
export class InvalidSetting extends Error {}

const nameOfType = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

/** @param checks conditions, each with the message if it doesn't hold */
const textWith =
  (...checks: (readonly [holds: (text: string) => boolean, problem: string])[]): Kind<string> =>
  (value) => {
    if (typeof value !== "string") throw new InvalidSetting(`must be a string, but it is of type ${nameOfType(value)}`);
    const failed = checks.find(([holds]) => !holds(value));
    if (failed !== undefined) throw new InvalidSetting(failed[1]);
    return value;
  };

export const text = (minimum = 1): Kind<string> =>
  textWith([({ length }) => length >= minimum, `must have at least ${minimum} characters`]);

export const folder = textWith([(path) => !isUrlLike(path), "must be a folder, not a URL"]);

export const duration = textWith([
  (value) => DURATION.test(value),
  "must be a duration such as 30s, 15m, 1h or 2d, or 0",
]);

const startsWith = (...schemes: string[]): readonly [(address: string) => boolean, string] => {
  const pattern = new RegExp(`^(?:${schemes.join("|").replaceAll("+", "\\+")})://`, "i");
  return [(address) => pattern.test(address), `must be a URL with ${schemes.join(":// or ")}://`];
};

export const url = (...schemes: string[]): Kind<string> => textWith(startsWith(...schemes));

const hasCredentials = (address: string): boolean => {
  const { username = "", password = "" } = URL.parse(address) ?? {};
  return username !== "" || password !== "";
};

export const urlWithoutCredentials = textWith(startsWith("http", "https"), [
  (address) => !hasCredentials(address),
  "must not have a user or password in it: use OPENAI_API_KEY",
]);

/** A file, or an HTTP URL with the placeholder `{id}`. */
export const customerLocation = textWith([
  (location) => !/^https?:/i.test(location) || location.includes("{id}"),
  "must have {id} in it if it is an HTTP URL",
]);

const trimmedToken = textWith(
  [(value) => value !== "", "must not be blank"],
  [
    (value) => /^[\u0020-\u007E]+$/.test(value),
    "must have no line break, accent or invisible character in it: copy it again",
  ],
);

/** A secret that goes into an HTTP header. Files and dashboards often add a line break. */
export const token: Kind<string> = (value) => trimmedToken(typeof value === "string" ? value.trim() : value);

export const wholeNumber =
  (minimum: number): Kind<number, number | string> =>
  (value) => {
    const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
    if (!Number.isSafeInteger(number)) throw new InvalidSetting("must be a whole number");
    if ((number as number) < minimum) throw new InvalidSetting(`must be at least ${minimum}`);
    return number as number;
  };

/** A TCP port; 0 means any free port. */
export const port: Kind<number, number | string> = (value) => {
  const number = wholeNumber(0)(value);
  if (number > 65_535) throw new InvalidSetting("must be at most 65535");
  return number;
};

/** A number from 0 to 1. */
export const share: Kind<number, number | string> = (value) => {
  const number = typeof value === "string" && /^\s*(?:\d+\.?\d*|\.\d+)\s*$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && number >= 0 && number <= 1) return number;
  throw new InvalidSetting("must be a number from 0 to 1, such as 0.75");
};

export const oneOf =
  <const Name extends string>(...names: Name[]): Kind<Name> =>
  (value) => {
    const known = names.find((name) => name === value);
    if (known !== undefined) return known;
    throw new InvalidSetting(`must be ${new Intl.ListFormat("en", { type: "disjunction" }).format(names)}`);
  };

/** Some of these names, as a list or separated by commas. */
export const someOf =
  <const Name extends string>(...names: Name[]): Kind<readonly Name[], readonly Name[] | string> =>
  (value) => {
    const given: unknown[] = typeof value === "string" ? value.split(",").map((name) => name.trim()) : [value].flat();
    const chosen = names.filter((name) => given.includes(name));
    if (given.length > 0 && given.every((name) => chosen.includes(name as Name))) return chosen;
    throw new InvalidSetting(`must be some of ${names.join(", ")}, separated by commas`);
  };

const ON_OFF: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ["on", true],
  ["true", true],
  ["1", true],
  [false, false],
  ["off", false],
  ["false", false],
  ["0", false],
]);

export const onOff: Kind<boolean, boolean | string> = (value) => {
  const isOn = ON_OFF.get(typeof value === "string" ? value.toLowerCase() : value);
  if (isOn === undefined) throw new InvalidSetting("must be on or off");
  return isOn;
};
