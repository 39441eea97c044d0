import { useLayoutEffect } from "preact/hooks";

/** What keys do on a page, by `KeyboardEvent.key`. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Whether these are the keys that send what is being typed: Ctrl+Enter or Cmd+Enter. */
export const isSend = ({ key, ctrlKey, metaKey }: KeyboardEvent): boolean => key === "Enter" && (ctrlKey || metaKey);

const TYPING = "input, textarea, select, [contenteditable]";

/** Keys that move through a list for as long as they are held down. */
const MOVES = new Set(["j", "k"]);

/**
 * Handles single keys while the page is shown. Keys do nothing while the person is typing or a
 * dialog is open, or together with Ctrl, Alt or Meta. A key that is held down acts only once,
 * because it must not decide on one email after another; keys that move through a list repeat.
 */
export function useKeys(keys: Keys): void {
  // Changed together with the page, because a key must not do what it did on the previous one.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.repeat && !MOVES.has(event.key)) return;
      if (event.target instanceof Element && event.target.matches(TYPING)) return;
      // Keys must not reach what is below a dialog.
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
