import { usageError } from "./command.ts";

/**
 * Parses options of the form `--map <field>=<column>`; returns the part after the `=` by field.
 * @param value what the part after the `=` is called in messages
 * @throws ValidationError (`usage`) for a different form, an unknown field, or a field that is set
 *   twice
 */
export function readAssignments<Field extends string>(
  option: string,
  value: string,
  texts: readonly string[],
  fields: readonly Field[],
): Map<Field, string> {
  const result = new Map<Field, string>();
  for (const text of texts) {
    const [, name, assigned = ""] = /^([^=]*)=(.*)$/su.exec(text) ?? [];
    if (name === undefined || assigned === "") {
      throw usageError(`${option} ${text} is not of the form ${option} <field>=<${value}>.`);
    }
    const field = fields.find((known) => known === name);
    if (field === undefined) {
      throw usageError(`${option} ${text}: there is no field "${name}". Fields: ${fields.join(", ")}.`);
    }
    if (result.has(field)) throw usageError(`${option} gives ${field} twice. Leave one of them out.`);
    result.set(field, assigned);
  }
  return result;
}
