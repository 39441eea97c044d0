import type { Term } from "@rdfjs/types";
import { termToNTriples } from "../n-triples.ts";
import { canonicalText } from "./canonical-text.ts";

/** Converts the terms of one call to Oxigraph's form: obvious ones at once, the rest together. */
export class Canonicalization {
  /** Terms that Oxigraph must convert, by their original text; undefined until it has. */
  readonly #others = new Map<string, string | undefined>();

  /** Whether no term needs Oxigraph. */
  get isDone(): boolean {
    return this.#others.size === 0;
  }

  /**
   * The term as N-Triples, to be resolved once all terms are collected.
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

  canonicalize(canonical: (texts: readonly string[]) => string[]): void {
    if (this.isDone) return;
    const texts = [...this.#others.keys()];
    for (const [index, form] of canonical(texts).entries()) this.#others.set(texts[index] ?? form, form);
  }

  /** Returns the same object with every text in its canonical form. */
  readonly resolve = <Texts extends { readonly [part in "subject" | "predicate" | "object"]?: string | undefined }>(
    texts: Texts,
  ): Texts => {
    if (this.isDone) return texts;
    const form = (text: string | undefined): string | undefined =>
      text === undefined ? undefined : (this.#others.get(text) ?? text);
    const { subject, predicate, object } = texts;
    return { ...texts, subject: form(subject), predicate: form(predicate), object: form(object) };
  };
}
