import { html } from "../html.ts";

/** SVG paths on a grid of 16 × 16. */
const PATHS = {
  inbox: "M2 9.5h3.5l1 2h3l1-2H14M2 9.5 4 3h8l2 6.5V13H2z",
  approvals: "M3 8.5 6.5 12 13 4.5",
  chat: "M2.5 3h11v8H8l-3.5 2.5V11h-2z",
  runs: "M2.5 4h6M5 8h7M8 12h5.5",
  charts: "M3 13V8M8 13V3M13 13V6",
  try: "M3 13l1-3.5L11 2.5l2.5 2.5-7 7zM9.5 4l2.5 2.5",
  graph:
    "M4 5.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM12 9.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM5.5 14a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5zM5.5 4.5l5 2.5M10.5 8.7l-3.6 2.6M4.2 5.5l.9 5",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.5 10.5 14 14",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5V3M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  screen: "M2 3h12v8H2zM6 14h4M8 11v3",
  out: "M6 3H3v10h3M9.5 5l3 3-3 3M12.5 8H6",
  keys: "M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h-.5M5 9.3h6",
  warning: "M8 2.5 14.5 13.5h-13zM8 6.5v3.5M8 11.8v.2",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: words beside the icon say what it stands for. */
export const Icon = ({ name }: { name: IconName }) => html`
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>
`;
