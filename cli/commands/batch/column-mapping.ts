import { CustomerFeedbackWorkflowParameters } from "../../../src/workflows/customer-feedback/parameters.ts";
import { likelyField } from "../../../src/integrations/customers/read-customer.ts";
import { normalizedName, similarField } from "../../../src/row-file/column-name.ts";
import { readYesNo } from "../../../src/row-file/yes-no.ts";
import { isVisible } from "../../../src/visible-text.ts";
import { readAssignments } from "../../assignments.ts";
import { usageError } from "../../command.ts";

const FIELDS = Object.keys(CustomerFeedbackWorkflowParameters.shape);
const REQUIRED = ["customer_id", "feedback_text"];
/**
 * In other programs' exports, columns with similar names often hold labels that are not ours, so
 * these two are only read under exactly these names.
 */
const LABELS = new Set(["sentiment", "categories"]);
/** Reviews often have no title. */
const DEFAULT_SUBJECT = "Your feedback";

export interface ColumnMapping {
  /**
   * The workflow's parameters from one row; missing fields stay missing, so that the workflow
   * reports them.
   */
  toParameters: (values: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  /**
   * What is wrong with a row of a file without a header: a required field is mapped to a column
   * that the row doesn't have.
   */
  problemOf: (values: Readonly<Record<string, unknown>>) => string | undefined;
  /**
   * @throws ValidationError if a file lacks a column that is required or that `map` names, or has
   *   several for one field
   */
  check: (columns: readonly string[]) => void;
  /** The columns that `map` names, by field. */
  mapped: ReadonlyMap<string, string>;
  /** What to say about an unread column; undefined if it isn't suspicious. */
  warningOf: (column: string) => string | undefined;
}

/**
 * Where the fields of the feedback come from: a column with a different name (`map`:
 * `feedback_text=text`), a constant (`set`: `customer_id=C-1`), or otherwise the column with the
 * field's name or another spelling of it (`Customer ID`, `customerId`). Other columns are ignored.
 * A row without a subject gets the one from `set`, or the default.
 * @throws ValidationError for fields that don't exist or are set twice
 */
export function createColumnMapping(map: readonly string[], set: readonly string[]): ColumnMapping {
  const columns = readAssignments("--map", "column", map, FIELDS);
  const constants = readAssignments("--set", "value", set, FIELDS);
  const twice = [...columns.keys()].find((field) => field !== "subject" && constants.has(field));
  if (twice !== undefined) throw usageError(`${twice} is given by --map and by --set. Leave one of them out.`);
  const columnOf = (field: string): string => columns.get(field) ?? field;
  const fallbackSubject = constants.get("subject") ?? DEFAULT_SUBJECT;
  const columnsFor = (field: string, names: readonly string[]): string[] => {
    const isExact = columns.has(field) || LABELS.has(field);
    const plain = normalizedName(field);
    return names.filter((name) => (isExact ? name === columnOf(field) : normalizedName(name) === plain));
  };
  const columnIn = (values: object, field: string): string | undefined => {
    const column = columnOf(field);
    return Object.hasOwn(values, column) ? column : columnsFor(field, Object.keys(values))[0];
  };

  return {
    toParameters: (values) => {
      const given = FIELDS.flatMap((field) => {
        const column = columnIn(values, field);
        const written = column === undefined ? undefined : values[column];
        const value = field === "subject" && !hasText(written) ? fallbackSubject : written;
        const read = toField(field, (field === "subject" ? undefined : constants.get(field)) ?? value);
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
      const isSet = (field: string): boolean => field !== "subject" && constants.has(field);
      for (const field of FIELDS.filter((field) => !isSet(field))) {
        const found = columnsFor(field, names);
        if (found.length < 2) continue;
        throw usageError(
          `The file has ${found.length} columns for ${field}: ${found.join(", ")}. Rename all but one of them.`,
        );
      }
      const missing = REQUIRED.find((field) => !isSet(field) && columnsFor(field, names).length === 0);
      if (missing === undefined) return;
      throw usageError(
        `The file has no column "${missing}". Name another one with --map ${missing}=<column>, or give a constant with ` +
          `--set ${missing}=<value>. It has: ${known}.`,
      );
    },
    mapped: columns,
    warningOf: (column) =>
      FIELDS.some((field) => columnsFor(field, [column]).length > 0) ? undefined : warningFor(column),
  };
}

/** False for a missing value, null and a blank text. The workflow refuses what is not a text. */
const hasText = (value: unknown): boolean =>
  typeof value === "string" ? isVisible(value) : value !== undefined && value !== null;

function warningFor(column: string): string | undefined {
  const similar = similarField(column, FIELDS);
  const name = JSON.stringify(column);
  if (similar !== undefined) {
    return `The column ${name} is not read. If it is ${similar}, add --map ${similar}=<column>.`;
  }
  if (likelyField(column) !== "do_not_contact") return undefined;
  return (
    `The column ${name} is not read. Customers who must get no email are marked in the customer data (do_not_contact); ` +
    "for one piece of feedback, use send_response."
  );
}

/**
 * Converts a value to the form of the field. Text is accepted for every field, because CSV files
 * contain nothing else. An empty value of an optional field counts as absent.
 */
function toField(field: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!REQUIRED.includes(field) && (value === null || value === "")) return undefined;
  if (field === "send_response") return typeof value === "string" ? (readYesNo(value) ?? value) : value;
  if (field === "categories" && typeof value === "string") return value.split(/[,;|]/).map((name) => name.trim());
  // Ids are often numbers in JSON; beyond the safe integers they are no longer what was written.
  return typeof value === "number" && Number.isSafeInteger(value) && field.endsWith("_id") ? String(value) : value;
}
