import { usageError } from "./command.ts";

/**
 * Options of the form `--map <field>=<column>`, by field.
 * @param value what stands right of the `=`, for people
 * @throws ValidationError (usage) for another form, a field that does not exist, and one that is given twice
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
