import { useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import { html } from "./html.ts";
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
      setProblem(error.code === "token_invalid" ? "The service doesn't know this token." : error.message);
      field.current?.select();
    } finally {
      setIsBusy(false);
    }
  };
  return html`
    <main class="sign-in" id="main">
      <form class="card form" onSubmit=${onSubmit}>
        <h1>Sign in</h1>
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
