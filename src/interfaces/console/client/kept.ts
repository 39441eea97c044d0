/**
 * What this browser keeps for the console. Storage may be switched off or full, and then throws: what was to be kept lasts as long as
 * the page.
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
