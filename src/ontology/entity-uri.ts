import { ValidationError } from "../errors.ts";

const LOCAL_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/;

/**
 * Checks the name of a type or property: a letter, then at most 99 letters, digits, `_` or `-`.
 * @throws ValidationError (`invalid_name`)
 */
export function assertLocalName(name: string): void {
  if (!LOCAL_NAME.test(name)) {
    throw new ValidationError(
      "The name of a type or property is a letter, then at most 99 letters, digits, underscores or hyphens.",
      {
        code: "invalid_name",
      },
    );
  }
}

/**
 * Encodes a lone surrogate in three bytes, as UTF-8 would if it were a character (WTF-8). The
 * result is valid in an IRI, and unique.
 */
const encodeSurrogate = (unit: number): string =>
  [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
    .map((byte) => `%${byte.toString(16).toUpperCase()}`)
    .join("");

const encodeSegment = (id: string): string => {
  // A segment of dots would mean "this folder" or "the parent folder" when the IRI is resolved.
  if (id === "." || id === "..") return id.replaceAll(".", "%2E");
  if (id.isWellFormed()) return encodeURIComponent(id);
  return Array.from(id, (character) =>
    character.isWellFormed() ? encodeURIComponent(character) : encodeSurrogate(character.charCodeAt(0)),
  ).join("");
};

/**
 * The IRI of an entity, made from its type and id, such as
 * `http://example.org/abi/Customer/C-1001`. The same type and id always give the same IRI, and
 * different ones give different IRIs, whatever characters the id contains.
 * @throws ValidationError for an invalid type or an empty id
 */
export function entityUri(type: string, id: string): string {
  assertLocalName(type);
  if (id === "") throw new ValidationError("An id must not be empty.", { code: "invalid_id" });
  return `http://example.org/abi/${type}/${encodeSegment(id)}`;
}
