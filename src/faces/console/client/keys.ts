import { useEffect } from "preact/hooks";

/** What keys do on a page, by `KeyboardEvent.key`. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Ctrl+Enter, or Cmd+Enter: sends what is being typed. */
export const isSend = ({ key, ctrlKey, metaKey }: KeyboardEvent): boolean => key === "Enter" && (ctrlKey || metaKey);

const TYPING = "input, textarea, select, [contenteditable]";

/** Single keys while the page is shown, but not while somebody types, nor together with Ctrl, Alt or Meta. */
export function useKeys(keys: Keys): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.matches(TYPING)) return;
      // What is below a window is not to be reached.
      if (document.querySelector("dialog[open]")) return;
      const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
