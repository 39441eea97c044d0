import htm from "htm";
import { h, type ComponentChildren, type VNode } from "preact";

// Its declarations are those of a CommonJS module, where it is an ES module.
interface Binds {
  bind(create: typeof h): unknown;
}

/** Whatever a template can hold. Texts become text nodes, whatever is in them. */
export type Children = ComponentChildren;

export const html = (htm as unknown as Binds).bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
