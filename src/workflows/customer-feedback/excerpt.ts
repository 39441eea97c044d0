const LENGTH = 200;

/** The beginning of what a customer wrote, for lists. */
export const excerptOf = (text: string): string => text.slice(0, LENGTH).toWellFormed();
