/**
 * Words that a person has typed about an email and not sent yet. They survive the form and the page
 * for as long as the tab is open.
 */
import { session } from "../session.ts";

export interface Draft {
  subject?: string;
  text?: string;
  /** Why the email is to be rejected. */
  reason?: string;
}

const drafts = new Map<string, Draft>();

/**
 * A draft is for one email and for the person who wrote it, because someone else may sign in on the
 * same page.
 */
const keyOf = (rendering: string): string => JSON.stringify([session.value?.name, rendering]);

export const draftOf = (rendering: string): Draft => drafts.get(keyOf(rendering)) ?? {};

/** @param words undefined if they are as if nothing had been typed */
export const keepDraft = (rendering: string, words: { [Name in keyof Draft]: Draft[Name] | undefined }): void => {
  const known = Object.entries({ ...draftOf(rendering), ...words }).filter(([, value]) => value !== undefined);
  if (known.length === 0) drafts.delete(keyOf(rendering));
  else drafts.set(keyOf(rendering), Object.fromEntries(known));
};

export const dropDraft = (rendering: string): boolean => drafts.delete(keyOf(rendering));
