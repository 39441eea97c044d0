/** What a page shows instead of its content. */
import type { ApiError } from "../api.ts";
import { html, type Children } from "../html.ts";
import { Icon } from "./icons.ts";

/** Grey lines in the shape of the content that is being loaded. */
export const Loading = ({ rows, label = "Loading" }: { rows: number; label?: string }) => html`
  <div class="skeleton" role="status" aria-label=${label}>
    ${Array.from({ length: rows }, (_, index) => html`<div key=${index} class="skeleton-line"></div>`)}
  </div>
`;

export const Empty = ({ title, children }: { title: string; children?: Children }) => html`
  <div class="empty">
    <p class="empty-title">${title}</p>
    <div class="empty-text">${children}</div>
  </div>
`;

const TITLES: Readonly<Record<string, string>> = {
  offline: "The service can't be reached",
  scope_missing: "You may not see this",
  not_found: "There is nothing here",
  unknown_run: "There is no such run",
};

/** What went wrong, and what can be done. */
export const Failed = ({ error, retry }: { error: ApiError; retry: () => void }) => html`
  <div class="empty" role="alert">
    <p class="empty-title"><${Icon} name="warning" /> ${TITLES[error.code] ?? "That did not work"}</p>
    <div class="empty-text">
      ${error.code === "offline" ? "The page continues when the service is back." : error.message}
      ${error.code === "scope_missing" && " Sign in with a token that has it."}
    </div>
    ${error.code !== "scope_missing" && html`<button type="button" class="button" onClick=${retry}>Try again</button>`}
  </div>
`;

/** Shown while there is no content: what went wrong, or that the content is being loaded. */
export const Pending = ({
  error,
  retry,
  rows,
  label,
}: {
  error: ApiError | undefined;
  retry: () => void;
  rows: number;
  label?: string;
}) =>
  error
    ? html`<${Failed} error=${error} retry=${retry} />`
    : html`<${Loading} rows=${rows} ...${label !== undefined && { label }} />`;
