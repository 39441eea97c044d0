import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "abi-console-theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** Storage may be switched off, and then throws. */
function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "system";
  } catch {
    return "system";
  }
}

export const theme = signal<Theme>("system");

export const nextTheme = (): void => {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
};

export function startTheme(): void {
  theme.value = stored();
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    try {
      localStorage.setItem(KEY, theme.value);
    } catch {
      // It then holds for this page.
    }
  });
}
