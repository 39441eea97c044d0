/**
 * Words that a person has typed about an email and not sent yet. They are kept when the form is
 * closed or another page is shown, until the tab is closed or reloaded.
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

/** @param words the fields to change; undefined for a field whose words are not to be kept */
export const keepDraft = (rendering: string, words: { [Name in keyof Draft]: Draft[Name] | undefined }): void => {
  const known = Object.entries({ ...draftOf(rendering), ...words }).filter(([, value]) => value !== undefined);
  if (known.length === 0) drafts.delete(keyOf(rendering));
  else drafts.set(keyOf(rendering), Object.fromEntries(known));
};

export const dropDraft = (rendering: string): boolean => drafts.delete(keyOf(rendering));
