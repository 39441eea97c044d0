import htm from "htm";
import { h, type ComponentChildren, type VNode } from "preact";

// The package's declarations are those of a CommonJS module, but it is an ES module.
interface Binds {
  bind(create: typeof h): unknown;
}

/** Anything that a template can contain. Texts become text nodes, whatever they contain. */
export type Children = ComponentChildren;

export const html = (htm as unknown as Binds).bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
