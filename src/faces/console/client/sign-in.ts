import { useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import { html } from "./html.ts";
import { IS_SAMPLE } from "./page-facts.ts";
import { signIn } from "./session.ts";

/** Asks for a token. It is sent once, and kept nowhere in the browser. */
export function SignIn() {
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
      setProblem(error.code === "token_invalid" ? "This token is not known to the service." : error.message);
      field.current?.select();
    } finally {
      setIsBusy(false);
    }
  };
  return html`
    <main class="sign-in" id="main">
      <form class="card form" onSubmit=${onSubmit}>
        <h1>Sign in</h1>
        ${
          IS_SAMPLE &&
          html`<p>
            This is the demo: invented customers write, the service answers or escalates, and you approve each mail
            before it goes out.
          </p>`
        }
        <p class="muted">
          Look in the terminal where <code>abi-workflows serve</code> runs: it printed a token when it started. If it
          printed none, ask whoever runs the service for yours. Your decisions are signed with the token's name.
        </p>
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
    </main>
  `;
}
