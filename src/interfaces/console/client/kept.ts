/**
 * Values that this browser keeps for the console. Storage throws if it is switched off or full; the
 * values then last only as long as the page.
 */
export function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // See above.
  }
}
