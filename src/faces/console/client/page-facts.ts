/** What the page comes with: facts about the service that no route tells. */
const fact = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? "";

/** What feedback can be about. */
export const CATEGORIES = fact("categories").split(" ");

/** Names of all workflows. */
export const WORKFLOWS = fact("workflows").split(" ").filter(Boolean);

/** Whether the data is a sample to try things out with. */
export const IS_SAMPLE = fact("sample") !== "";
