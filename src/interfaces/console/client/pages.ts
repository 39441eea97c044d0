/** The pages of the console. To add one, add an entry here. */
import type { VNode } from "preact";
import { Approvals } from "./approvals/approvals.ts";
import { FeedbackPage } from "./feedback/feedback-page.ts";
import { Inbox } from "./feedback/inbox.ts";
import { Chat } from "./chat/chat.ts";
import { Charts } from "./graph/charts.ts";
import { GraphPage } from "./graph/graph-page.ts";
import { html } from "./html.ts";
import { RunPage, Runs } from "./runs/runs.ts";
import { TryText } from "./try-text.ts";
import type { IconName } from "./ui/icons.ts";
import { Empty } from "./ui/states.ts";

export interface Page {
  /** First part of the path; empty for the inbox. */
  name: string;
  title: string;
  /**
   * The scopes that a person needs to see the page. If one is missing, the navigation leaves the
   * page out.
   */
  scopes: readonly string[];
  /** Its icon in the navigation. Pages without an icon aren't there, and are reached by links. */
  icon?: IconName;
  /** @param id the second part of the path */
  show: (id: string | undefined) => VNode;
  /** Whether the page handles the focus itself when only the second part of the path changes. */
  keepsFocus?: boolean;
}

const READ = ["feedback:read"];

export const PAGES: readonly Page[] = [
  { name: "", title: "Inbox", scopes: READ, icon: "inbox", show: () => html`<${Inbox} />` },
  {
    name: "approvals",
    title: "Approvals",
    scopes: ["approve"],
    icon: "approvals",
    keepsFocus: true,
    show: (id) => html`<${Approvals} id=${id} />`,
  },
  {
    name: "chat",
    title: "Chat",
    scopes: [...READ, "feedback:write"],
    icon: "chat",
    keepsFocus: true,
    show: (id) => html`<${Chat} id=${id} />`,
  },
  {
    name: "runs",
    title: "Runs",
    scopes: READ,
    icon: "runs",
    show: (id) => (id === undefined ? html`<${Runs} />` : html`<${RunPage} key=${id} id=${id} />`),
  },
  { name: "charts", title: "Charts", scopes: ["admin"], icon: "charts", show: () => html`<${Charts} />` },
  { name: "try", title: "Try a text", scopes: READ, icon: "try", show: () => html`<${TryText} />` },
  { name: "graph", title: "Graph", scopes: ["admin"], icon: "graph", show: () => html`<${GraphPage} />` },
  {
    name: "feedback",
    title: "Feedback",
    scopes: READ,
    show: (id) => (id === undefined ? html`<${Inbox} />` : html`<${FeedbackPage} key=${id} id=${id} />`),
  },
];

export const NOWHERE: Page = {
  name: "nowhere",
  title: "Not found",
  scopes: [],
  show: () => html`<${Empty} title="There is no such page"><a href="/console/">Go to the inbox</a><//>`,
};
