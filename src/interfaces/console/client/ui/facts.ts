import { html, type Children } from "../html.ts";

/** A name and its value, in a `dl`. */
export const Fact = ({ name, children }: { name: Children; children?: Children }) =>
  html`<div class="fact">
    <dt>${name}</dt>
    <dd>${children}</dd>
  </div>`;

/** How sure an analyser was, 0 to 1. */
export const Score = ({ value }: { value: number }) => html`
  <span class="score"
    ><span class="score-track" aria-hidden="true"><span style=${{ width: `${Math.round(value * 100)}%` }}></span></span
    >${value.toFixed(2)}</span
  >
`;
