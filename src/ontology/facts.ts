import type { NamedNode, Quad, Term } from "@rdfjs/types";
import type { OntologyStore } from "./ontology-store.ts";

/** What `match` has found about one subject, by property. */
export class Facts {
  readonly #objects = new Map<string, Term[]>();

  constructor(quads: readonly Quad[]) {
    for (const { predicate, object } of quads) {
      const objects = this.#objects.get(predicate.value);
      if (objects) objects.push(object);
      else this.#objects.set(predicate.value, [object]);
    }
  }

  values(predicate: NamedNode): string[] {
    return (this.#objects.get(predicate.value) ?? []).map(({ value }) => value);
  }

  /** One value of a property; any of them if there are several. */
  value(predicate: NamedNode): string | undefined {
    return this.#objects.get(predicate.value)?.[0]?.value;
  }

  has(predicate: NamedNode, object: Term): boolean {
    return (this.#objects.get(predicate.value) ?? []).some((known) => known.equals(object));
  }
}

/**
 * What a store says about one subject.
 * @throws IoError if the store can't be reached
 */
export const factsAbout = async (
  ontologyStore: Pick<OntologyStore, "match">,
  store: string,
  subject: NamedNode,
): Promise<Facts> => new Facts(await ontologyStore.match(store, { subject }));

/** Reads an `xsd:boolean`. `1` is another spelling of true, which some endpoints return. */
export const isTrue = (value: string): boolean => value === "true" || value === "1";
