/**
 * The introduction for people who try the service with sample data: what this is, and what to do.
 * It names only pages that they may see.
 */
import { signal } from "@preact/signals";
import { html } from "../html.ts";
import { keep, kept } from "../kept.ts";
import { IS_SAMPLE } from "../page-facts.ts";
import { href } from "../router.ts";
import { may } from "../session.ts";

const KEY = "abi-console-guide";

const isShown = signal(IS_SAMPLE && kept(KEY) === null);

function dismiss(): void {
  isShown.value = false;
  keep(KEY, "dismissed");
}

export function Guide() {
  if (!isShown.value) return null;
  const mayTalk = may("feedback:write");
  const maySeeGraph = may("admin");
  return html`
    <section class="guide" aria-labelledby="guide">
      <header>
        <h2 id="guide">Try it with sample data</h2>
        <p class="muted">
          The customers are invented, and emails become files on your machine.<span class="only-wide"
            >${" "}The sample feedback came in when you first started the demo.</span
          >
        </p>
        <button type="button" class="button plain small" aria-label="Hide this introduction" onClick=${dismiss}>
          ×
        </button>
      </header>
      <ol role="list">
        <li>
          <b>Send feedback</b>
          <p>
            ${"Run the "}<code>curl</code>${" command that is shown in your terminal"}${mayTalk && html`${", or tell the agent what a customer wrote in the "}<a href=${href(["chat"])}>chat</a>`}.
          </p>
        </li>
        ${
          may("approve") &&
          html`<li>
            <b>Approve its email</b>
            <p>
              ${"No email is sent before you approve it. It waits in "}<a href=${href(["approvals"])}>approvals</a>.
            </p>
          </li>`
        }
        ${
          (mayTalk || maySeeGraph) &&
          html`<li>
            <b>Ask about it</b>
            <p>
              ${mayTalk && "The agent knows what was done with it. "}${maySeeGraph && html`${"See all feedback as "}<a href=${href(["charts"])}>charts</a>${", or query the "}<a href=${href(["graph"])}>graph</a>.`}
            </p>
          </li>`
        }
      </ol>
    </section>
  `;
}
