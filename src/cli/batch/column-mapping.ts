import { CustomerFeedbackWorkflowParameters } from "../../workflows/customer-feedback/parameters.ts";
import { usageError } from "../command.ts";

const FIELDS = Object.keys(CustomerFeedbackWorkflowParameters.shape);
const REQUIRED = ["customer_id", "subject", "feedback_text"];
const YES_NO: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

export interface ColumnMapping {
  /** The workflow's parameters from one row; what is missing stays missing, for the workflow to say so. */
  toParameters: (values: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  /** What is wrong with a row of a file without heading: a required field is mapped to a column that the row does not have. */
  problemOf: (values: Readonly<Record<string, unknown>>) => string | undefined;
  /** @throws ValidationError where the columns of a file can never make feedback */
  check: (columns: readonly string[]) => void;
}

/**
 * Where the fields of the feedback come from: a column of another name (`map`: `feedback_text=text`), a constant
 * (`set`: `customer_id=C-1`), otherwise the column of the field's own name. Other columns are ignored.
 * @throws ValidationError for fields that do not exist or are given twice
 */
export function createColumnMapping(map: readonly string[], set: readonly string[]): ColumnMapping {
  const columns = assignments("--map", map);
  const constants = assignments("--set", set);
  const twice = [...columns.keys()].find((field) => constants.has(field));
  if (twice !== undefined) throw usageError(`${twice} is given by --map and by --set. Leave one of them out.`);
  const columnOf = (field: string): string => columns.get(field) ?? field;

  return {
    toParameters: (values) => {
      const given = FIELDS.flatMap((field) => {
        const column = columnOf(field);
        const value = constants.get(field) ?? (Object.hasOwn(values, column) ? values[column] : undefined);
        const read = toField(field, value);
        return read === undefined ? [] : [[field, read] as const];
      });
      return Object.fromEntries(given);
    },
    problemOf: (values) => {
      const missing = REQUIRED.find((field) => columns.has(field) && !Object.hasOwn(values, columnOf(field)));
      return missing && `has no column "${columnOf(missing)}", which --map names for ${missing}`;
    },
    check: (names) => {
      const known = names.join(", ");
      for (const column of columns.values()) {
        if (!names.includes(column)) throw usageError(`The file has no column "${column}". It has: ${known}.`);
      }
      const missing = REQUIRED.find((field) => !constants.has(field) && !names.includes(columnOf(field)));
      if (missing === undefined) return;
      throw usageError(
        `The file has no column "${missing}". Name another one with --map ${missing}=<column>, or give a constant with ` +
          `--set ${missing}=<value>. It has: ${known}.`,
      );
    },
  };
}

function assignments(option: string, texts: readonly string[]): Map<string, string> {
  const result = new Map<string, string>();
  for (const text of texts) {
    const [, field, value] = /^([^=]*)=(.*)$/su.exec(text) ?? [];
    if (field === undefined || value === undefined || value === "") {
      throw usageError(
        `${option} ${text} is not of the form ${option} <field>=<${option === "--map" ? "column" : "value"}>.`,
      );
    }
    if (!FIELDS.includes(field))
      throw usageError(`${option} ${text}: there is no field "${field}". Fields: ${FIELDS.join(", ")}.`);
    if (result.has(field)) throw usageError(`${option} gives ${field} twice. Leave one of them out.`);
    result.set(field, value);
  }
  return result;
}

/** A value as the field has it; text, because that is all a CSV file knows, is understood. Empty is absent where a field may be. */
function toField(field: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!REQUIRED.includes(field) && (value === null || value === "")) return undefined;
  if (field === "send_response")
    return typeof value === "string" ? (YES_NO[value.trim().toLowerCase()] ?? value) : value;
  if (field === "categories" && typeof value === "string") return value.split(/[,;|]/).map((name) => name.trim());
  // Ids are often numbers in JSON; beyond the safe integers they are no longer what was written.
  return typeof value === "number" && Number.isSafeInteger(value) && field.endsWith("_id") ? String(value) : value;
}
