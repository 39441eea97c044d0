import { useEffect, useRef } from "preact/hooks";
import { ApiError, isOffline, isSignedOut } from "./api.ts";
import { countOf, isAboutApprovals, listApprovals } from "./approvals/approvals-api.ts";
import { html } from "./html.ts";
import { useLoad } from "./load.ts";
import { NOWHERE, PAGES, type Page } from "./pages.ts";
import { go, href, place } from "./router.ts";
import { may, readSession, session, signOut } from "./session.ts";
import { SignIn, SignInAgain } from "./sign-in.ts";
import { useKeys } from "./keys.ts";
import { nextTheme, theme } from "./theme.ts";
import { Icon } from "./ui/icons.ts";
import { KeyList } from "./ui/key-list.ts";
import { plain } from "./ui/one-line.ts";
import { Pending } from "./ui/states.ts";
import { say, Toasts } from "./ui/toast.ts";

export function App() {
  // Loaded again when the service comes back, because the session may no longer be valid.
  const { error, reload } = useLoad("session", readSession);
  // When a session ends, the page stays as it is, with everything that was typed. Another person
  // gets a fresh page.
  if (session.value) {
    return html`<${Shell} key=${JSON.stringify(session.value)} />${isSignedOut.value && html`<${SignInAgain} />`}`;
  }
  if (isSignedOut.value) return html`<${SignIn} />`;
  return html`<main class="sign-in" id="main"><${Pending} error=${error} retry=${reload} rows=${4} /></main>`;
}

/** The pages in the navigation: those that this person may see. */
const navigation = (): Page[] => PAGES.filter(({ icon, scopes }) => icon && scopes.every(may));

const addressOf = ({ name }: Page): string => href(name === "" ? [] : [name]);

function Shell() {
  const { path } = place.value;
  const [name = "", id] = path;
  const page = PAGES.find((one) => one.name === name) ?? NOWHERE;
  const pages = navigation();
  // A digit opens the page at that position in the navigation.
  useKeys(Object.fromEntries(pages.map((one, index) => [String(index + 1), () => go(addressOf(one))])));
  // An address without a page leads to the first one that this person may see.
  const start = name === "" && pages.length > 0 && !pages.includes(page) ? pages[0] : undefined;
  useEffect(() => {
    if (start) go(addressOf(start), { replace: true });
  }, [start]);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${page.title}${id === undefined ? "" : ` ${plain(id)}`} · Console`;
    // So that screen readers announce the new page. On arrival, the browser does that; on the way
    // back, a link may already have the focus.
    if (!isFirst.current && !main.current?.contains(document.activeElement))
      main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [page, page.keepsFocus ? "" : id]);
  return html`
    <a
      class="skip"
      href="#main"
      onClick=${(event: Event) => {
        event.preventDefault();
        main.current?.focus();
      }}
      >Skip to content</a
    >
    <div class="shell">
      <${Side} pages=${pages} page=${page} />
      <main id="main" ref=${main} tabindex="-1" class=${`main page-${page.name || "inbox"}`}>
        ${isOffline.value && html`<p class="offline" role="alert">The service can't be reached. What you see may be out of date. This page continues when the service is back.</p>`}
        ${!start && page.show(id)}
      </main>
    </div>
    <${Toasts} />
  `;
}

const THEMES = {
  system: { icon: "screen", text: "System" },
  light: { icon: "sun", text: "Light" },
  dark: { icon: "moon", text: "Dark" },
} as const;

function Side({ pages, page }: { pages: readonly Page[]; page: Page }) {
  const { icon, text } = THEMES[theme.value];
  const { name } = session.value!;
  return html`
    <nav class="side" aria-label="Pages">
      <a class="brand" href=${href([])}><span class="brand-mark" aria-hidden="true"></span><span>Console</span></a>
      <ul role="list">
        ${pages.map(
          (one) => html`
            <li key=${one.name}>
              <a class="side-link" href=${addressOf(one)} aria-current=${isCurrent(one, page) ? "page" : undefined}>
                <${Icon} name=${one.icon} /><span class="side-text">${one.title}</span
                >${one.name === "approvals" && html`<${WaitingCount} />`}
              </a>
            </li>
          `,
        )}
      </ul>
      <div class="side-foot">
        <${KeyList} />
        <button type="button" class="side-link" onClick=${nextTheme} title="Switch between system, light and dark">
          <${Icon} name=${icon} /><span class="side-text said-aloud">${text}</span>
        </button>
        <button type="button" class="side-link" onClick=${onSignOut}>
          <${Icon} name="out" /><span class="side-text"
            ><span class="said-aloud">Sign out </span><b dir="auto">${name}</b></span
          >
        </button>
      </div>
    </nav>
  `;
}

async function onSignOut(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(`You are still signed in. ${error.message}`, "bad");
  }
}

const isCurrent = (one: Page, page: Page): boolean => one === page || (one.name === "" && page.name === "feedback");

/** How many emails wait, counted up to one page. */
function WaitingCount() {
  const { value } = useLoad(may("approve") ? "waiting" : undefined, listApprovals, {
    changesWith: isAboutApprovals,
  });
  if (!value || value.runs.length === 0) return null;
  const count = countOf(value.runs.length, value.next);
  return html`<span class="count" aria-label=${`${count} waiting`}>${count}</span>`;
}
