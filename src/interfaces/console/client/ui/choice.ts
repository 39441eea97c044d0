import { html } from "../html.ts";
import { setQuery } from "../router.ts";

interface ChoiceProps {
  /** Name of the parameter in the address. */
  name: string;
  label: string;
  /** The option that is chosen; empty for none. */
  value: string;
  /** What each option is called. */
  options: Readonly<Record<string, string>>;
}

/** A filter of a list, kept in the address. Another choice leads back to the first page. */
export const Choice = ({ name, label, value, options }: ChoiceProps) => html`
  <select
    aria-label=${label}
    value=${value}
    class=${value ? "is-set" : ""}
    onChange=${({ currentTarget }: { currentTarget: HTMLSelectElement }) => setQuery({ [name]: currentTarget.value, after: "" })}
  >
    <option value="">${label}</option>
    ${Object.entries(options).map(([option, text]) => html`<option key=${option} value=${option}>${text}</option>`)}
  </select>
`;
