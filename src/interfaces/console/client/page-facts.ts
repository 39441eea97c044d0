/** Facts about the service that are in the page because no route returns them. */
const fact = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? "";
const list = (name: string): readonly string[] => fact(name).split(" ").filter(Boolean);

/** What feedback can be about. */
export const CATEGORIES = list("categories");

/** Names of all workflows. */
export const WORKFLOWS = list("workflows");

/** Names of the workflows that neither process feedback nor accompany other runs. */
export const OTHER_WORKFLOWS = list("others");

/** Whether the data is sample data to try things out with. */
export const IS_SAMPLE = fact("sample") !== "";
