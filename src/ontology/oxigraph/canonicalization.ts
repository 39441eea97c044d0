import type { Term } from "@rdfjs/types";
import { termToNTriples } from "../n-triples.ts";
import { canonicalText } from "./canonical-text.ts";

/**
 * Converts the terms of one call to the form in which Oxigraph returns them. Obvious terms are
 * converted immediately; the others are collected, and Oxigraph converts them together.
 */
export class Canonicalization {
  /** Oxigraph's form of the other terms, by their original text; undefined until it is known. */
  readonly #others = new Map<string, string | undefined>();

  /** Whether Oxigraph must convert any of the terms. */
  get needsOxigraph(): boolean {
    return this.#others.size > 0;
  }

  /**
   * The term as N-Triples: in Oxigraph's form if that is obvious, otherwise as given, for `resolve`
   * to replace.
   * @param what names the term in errors
   * @throws ValidationError for a term that is not an IRI or literal
   */
  text(term: Term, what?: string): string {
    const plain = term.termType === "NamedNode" || term.termType === "Literal" ? canonicalText(term) : undefined;
    if (plain !== undefined) return plain;
    const text = termToNTriples(term, what);
    this.#others.set(text, undefined);
    return text;
  }

  /** @param canonical converts the collected terms, in their order */
  canonicalize(canonical: (texts: readonly string[]) => string[]): void {
    if (!this.needsOxigraph) return;
    const texts = [...this.#others.keys()];
    for (const [index, form] of canonical(texts).entries()) this.#others.set(texts[index] ?? form, form);
  }

  /** Returns the texts in Oxigraph's form. Call it after `canonicalize`. */
  readonly resolve = <Texts extends { readonly [part in "subject" | "predicate" | "object"]?: string | undefined }>(
    texts: Texts,
  ): Texts => {
    if (!this.needsOxigraph) return texts;
    const form = (text: string | undefined): string | undefined =>
      text === undefined ? undefined : (this.#others.get(text) ?? text);
    const { subject, predicate, object } = texts;
    return { ...texts, subject: form(subject), predicate: form(predicate), object: form(object) };
  };
}
