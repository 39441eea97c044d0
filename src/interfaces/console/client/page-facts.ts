/** What the page comes with: facts about the service that no route tells. */
const fact = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? "";
const list = (name: string): readonly string[] => fact(name).split(" ").filter(Boolean);

/** What feedback can be about. */
export const CATEGORIES = list("categories");

/** Names of all workflows. */
export const WORKFLOWS = list("workflows");

/** Those of them that are neither about feedback nor accompany other runs. */
export const OTHER_WORKFLOWS = list("others");

/** Whether the data is a sample to try things out with. */
export const IS_SAMPLE = fact("sample") !== "";
