/** Plain data that survives a round trip through JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Whether a value is an object with named fields, not an array or null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads a property of a value of unknown type, such as another library's error; undefined if the
 * value has no such property.
 */
export const propertyOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

/**
 * An object type in which fields that could be undefined are optional instead, as
 * `exactOptionalPropertyTypes` requires.
 */
type WithoutAbsent<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/**
 * Copies an object without its undefined fields.
 * @example list({ limit, ...withoutAbsent({ after, status }) })
 */
export const withoutAbsent = <Fields extends object>(fields: Fields): WithoutAbsent<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as WithoutAbsent<Fields>;
