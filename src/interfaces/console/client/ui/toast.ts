import { signal } from "@preact/signals";
import { html } from "../html.ts";

interface Toast {
  id: number;
  text: string;
  tone: "good" | "bad";
}

const SHOWN_MS = 6000;
const toasts = signal<readonly Toast[]>([]);
let count = 0;

/** Shows for a moment that something has happened, and announces it to screen readers. */
export function say(text: string, tone: Toast["tone"] = "good"): void {
  count += 1;
  const toast = { id: count, text, tone };
  toasts.value = [...toasts.value, toast];
  setTimeout(() => (toasts.value = toasts.value.filter(({ id }) => id !== toast.id)), SHOWN_MS);
}

export const Toasts = () => html`
  <div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(({ id, text, tone }) => html`<p key=${id} class=${`toast ${tone}`}>${text}</p>`)}
  </div>
`;
