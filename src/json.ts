/** Plain data that survives a round trip through JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Whether a value is an object with named fields: no array, and not null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A property of whatever may have it, such as an error of another library; undefined where it has none. */
export const propertyOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

/** An object in which what may be undefined is absent instead, as `exactOptionalPropertyTypes` wants it. */
type WithoutAbsent<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/**
 * The fields that have a value: those that are undefined leave no trace.
 * @example list({ limit, ...withoutAbsent({ after, status }) })
 */
export const withoutAbsent = <Fields extends object>(fields: Fields): WithoutAbsent<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as WithoutAbsent<Fields>;
