/** The style of the evaluation page, for light and dark screens and for paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1d2430, #e6e9ef); --quiet: light-dark(#667085, #98a2b3);
  --line: light-dark(#e4e7ec, #344054); --ground: light-dark(#fff, #12161d); }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 0.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.75rem; }
h4 { font-size: 0.9rem; font-weight: 500; margin: 0; overflow-wrap: anywhere; }
small, footer { color: var(--quiet); font-size: 0.85rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; padding: 0; margin: 0; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 2px; margin-right: 0.4rem; }
.group { display: grid; grid-template-columns: minmax(7rem, 15rem) 1fr; gap: 1rem; align-items: center; padding: 0.35rem 0; }
.bar { display: flex; align-items: center; gap: 0.5rem; height: 1.15rem; }
.bar i { height: 0.75rem; border-radius: 0 3px 3px 0; width: calc((100% - 3.5rem) * var(--value)); }
.bar b { font-size: 0.8rem; font-weight: 500; font-variant-numeric: tabular-nums; }
.c0 { background: #98a2b3; } .c1 { background: #2e6be6; } .c2 { background: #e0731d; }
.c3 { background: #1b9e77; } .c4 { background: #9b51e0; } .c5 { background: #d6336c; }
@media (max-width: 40rem) { .group { grid-template-columns: 1fr; gap: 0.2rem; } }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--quiet); font-weight: 500; }
.words { white-space: normal; }
blockquote { margin: 0.9rem 0; padding-left: 0.9rem; border-left: 3px solid var(--line); }
blockquote p { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
`;
