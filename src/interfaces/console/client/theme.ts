import { effect, signal } from "@preact/signals";
import { keep, kept } from "./kept.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "abi-console-theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

export const theme = signal<Theme>("system");

export const nextTheme = (): void => {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
};

export function startTheme(): void {
  theme.value = THEMES.find((name) => name === kept(KEY)) ?? "system";
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    keep(KEY, theme.value);
  });
}
