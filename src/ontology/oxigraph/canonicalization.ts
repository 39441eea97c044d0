import type { Term } from "@rdfjs/types";
import { termToNTriples } from "../n-triples.ts";
import { canonicalText } from "./canonical-text.ts";

/** Brings the terms of one call into Oxigraph's form: what is plain at once, the rest together. */
export class Canonicalization {
  /** Terms that Oxigraph must look at, by how they came; undefined until it has. */
  readonly #others = new Map<string, string | undefined>();

  /** Whether Oxigraph is not needed. */
  get isDone(): boolean {
    return this.#others.size === 0;
  }

  /**
   * The term as N-Triples, to be resolved when all is collected.
   * @param what names the term in errors
   * @throws ValidationError for what is no IRI or literal
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

  /** The same with every text in its canonical form. */
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
