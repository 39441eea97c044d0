import { useState } from "preact/hooks";
import { html } from "../html.ts";
import { MailFrame } from "./mail-frame.ts";
import { Fact } from "./facts.ts";
import { OneLine, plain } from "./one-line.ts";

export interface ShownMail {
  sender: string;
  recipient: string;
  subject: string;
  text: string;
  html: string;
}

/** An email with its sender, recipient and subject, formatted or as plain text. */
export function MailView({ mail }: { mail: ShownMail }) {
  const [isText, setIsText] = useState(false);
  const { sender, recipient, subject, text } = mail;
  return html`
    <div class="mail">
      <div class="mail-head">
        <dl>
          <${Fact} name="From"><${OneLine} text=${sender} /><//>
          <${Fact} name="To"><${OneLine} text=${recipient} /><//>
          <${Fact} name="Subject"
            ><b><${OneLine} text=${subject} /></b
          ><//>
        </dl>
        <div class="segmented" role="group" aria-label="How the email is shown">
          <button type="button" aria-pressed=${!isText} onClick=${() => setIsText(false)}>Formatted</button>
          <button type="button" aria-pressed=${isText} onClick=${() => setIsText(true)}>Text</button>
        </div>
      </div>
      ${isText ? html`<pre class="mail-text" tabindex="0" dir="auto">${plain(text)}</pre>` : html`<${MailFrame} source=${mail.html} title="The email as it looks" />`}
    </div>
  `;
}
