/** The keys of the console, in a window over the page. */
import { useRef } from "preact/hooks";
import { html } from "../html.ts";
import { useKeys } from "../keys.ts";
import { Icon } from "./icons.ts";

const KEYS: readonly (readonly [where: string, ...keys: (readonly [keys: readonly string[], what: string])[]])[] = [
  ["Everywhere", [["1", "…", "7"], "go to a page"], [["?"], "show these keys"]],
  ["Lists", [["j", "k"], "next, previous"], [["↵"], "open"], [["/"], "search the inbox"]],
  ["Approvals", [["a"], "approve"], [["e"], "edit"], [["r"], "reject"], [["Ctrl", "↵"], "approve your version"]],
  ["Chat", [["↵"], "send"], [["Shift", "↵"], "new line"]],
  ["Graph", [["Ctrl", "↵"], "run the query"]],
];

/** A button that shows the keys. The key `?` shows them, too. */
export function KeyList() {
  const dialog = useRef<HTMLDialogElement>(null);
  const show = (): void => dialog.current?.showModal();
  useKeys({ "?": show });
  return html`
    <button type="button" class="side-link only-wide" onClick=${show}>
      <${Icon} name="keys" /><span class="side-text">Keys</span>
    </button>
    <dialog ref=${dialog} class="key-list" aria-labelledby="key-list">
      <h2 id="key-list">Keys</h2>
      <div class="key-columns">
        ${KEYS.map(
          ([where, ...keys]) => html`
            <section key=${where}>
              <h3 class="label">${where}</h3>
              <dl>
                ${keys.map(
                  ([names, what]) => html`
                    <div key=${what}>
                      <dt>${names.map((name) => (name === "…" ? " … " : html`<kbd key=${name}>${name}</kbd> `))}</dt>
                      <dd>${what}</dd>
                    </div>
                  `,
                )}
              </dl>
            </section>
          `,
        )}
      </div>
      <button type="button" class="button" onClick=${() => dialog.current?.close()}>Close <kbd>Esc</kbd></button>
    </dialog>
  `;
}
