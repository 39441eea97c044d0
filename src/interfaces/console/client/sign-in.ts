import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import { html, type Children } from "./html.ts";
import { IS_SAMPLE } from "./page-facts.ts";
import { signIn } from "./session.ts";

const DEMO =
  "This is the demo: invented customers write, the service answers or escalates, and you approve each email before it is sent.";

/** Shown instead of all pages. */
export const SignIn = () => html`
  <main class="sign-in" id="main">
    <${TokenForm} title="Sign in">
      Look in the terminal where <code>abi-workflows serve</code> runs for a token that it printed when it started. If
      there is none, ask the person who runs the service for yours. Your decisions are recorded under the token's name.
    <//>
  </main>
`;

/**
 * Shown over the page of a person whose session has ended. It hides the page, and leaves it as it
 * is.
 */
export function SignInAgain() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    // Puts the focus back where it was.
    return () => current?.close();
  }, []);
  return html`
    <dialog
      ref=${dialog}
      class="sign-in-again"
      aria-labelledby="sign-in"
      onCancel=${(event: Event) => event.preventDefault()}
      onClose=${() => dialog.current?.showModal()}
    >
      <${TokenForm} title="Sign in again">
        Your session has ended. What you were writing is still there: sign in with your token to continue.
      <//>
    </dialog>
  `;
}

/** Asks for a token. It is sent once, and kept nowhere in the browser. */
function TokenForm({ title, children }: { title: string; children?: Children }) {
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    setIsBusy(true);
    try {
      await signIn(token);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.code === "token_invalid" ? "The service doesn't know this token." : error.message);
      field.current?.select();
    } finally {
      setIsBusy(false);
    }
  };
  return html`
    <form class="card form" onSubmit=${onSubmit}>
      <h1 id="sign-in">${title}</h1>
      ${IS_SAMPLE && html`<p>${DEMO}</p>`}
      <p class="muted">${children}</p>
      <label
        >Token
        <input
          ref=${field}
          type="password"
          name="token"
          autocomplete="off"
          required
          aria-describedby="problem"
          aria-invalid=${problem !== ""}
      /></label>
      <p id="problem" class="problem" role="alert">${problem}</p>
      <button class="button primary" disabled=${isBusy}>Sign in</button>
    </form>
  `;
}
