/** Earlier conversations. */
import { useState } from "preact/hooks";
import { html } from "../html.ts";
import { useLoad, type Loaded } from "../load.ts";
import { href } from "../router.ts";
import { OneLine } from "../ui/one-line.ts";
import { Time } from "../ui/time.ts";
import { listConversations, type ConversationPage } from "./chat-api.ts";

/** How many to show at first, and how many more each time. */
const PAGE = 50;
/** The most that the service lists at once. */
const MOST = 200;

/** @param version a new value loads the list again */
export function useEarlier(
  version: string,
): Pick<Loaded<ConversationPage>, "value"> & { more: (() => void) | undefined } {
  const [limit, setLimit] = useState(PAGE);
  const { value } = useLoad("conversations", (signal) => listConversations(limit, signal), {
    version: `${version} ${limit}`,
  });
  const hasMore = value?.next !== undefined && limit < MOST;
  return { value, more: hasMore ? () => setLimit(limit + PAGE) : undefined };
}

/** A list of earlier conversations; nothing if there are none. */
export function Earlier({
  earlier: { value, more },
  current,
}: {
  earlier: ReturnType<typeof useEarlier>;
  current: string | undefined;
}) {
  if (!value || value.conversations.length === 0) return null;
  return html`
    <nav class="earlier" aria-label="Conversations">
      <p class="label">Conversations</p>
      <ul role="list">
        ${value.conversations.map(
          ({ thread_id: id, first_words: words, time }) => html`
            <li key=${id}>
              <a class="earlier-link" href=${href(["chat", id])} aria-current=${id === current ? "page" : undefined}>
                <${OneLine} text=${words || "…"} /><${Time} at=${time} />
              </a>
            </li>
          `,
        )}
      </ul>
      ${more && html`<button type="button" class="button small plain" onClick=${more}>Show more</button>`}
    </nav>
  `;
}
