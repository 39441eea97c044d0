import { randomUUID } from "node:crypto";
import type { Literal, NamedNode, Quad } from "@rdfjs/types";
import type { Store } from "n3";
import { ValidationError } from "../errors.ts";
import { assertLocalName, entityUri } from "./entity-uri.ts";
import { DataFactory, n3 } from "./n3.ts";
import type { BindingValue } from "./ontology-store.ts";
import { toTerm } from "./term.ts";
import { ABI, rdf } from "./vocabulary.ts";

/**
 * The value of a property: a JavaScript value, which is stored as a matching literal, or an IRI or
 * literal as an RDF/JS term.
 */
export type PropertyValue = BindingValue;

/** Values by property name; undefined ones are left out. `id` also makes the entity's URI. */
export type Properties = Readonly<Record<string, PropertyValue | undefined>>;

/** The name of a property in `abi:`, or an RDF/JS term for one of another vocabulary. */
export type PropertyName = string | NamedNode;

/**
 * A graph in memory that you build entity by entity and then store as a whole.
 *
 * ```ts
 * const graph = new ABIGraph();
 * const customer = graph.createEntity("Customer", { id: "C-1", name: "Ada", lifetimeValue: 1200 });
 * const feedback = graph.createEntity("Feedback", { id: "F-1", timestamp: new Date() });
 * graph.createRelationship(feedback, "providedBy", customer);
 * await store.insert("feedback_data", graph);
 * ```
 */
export class ABIGraph implements Iterable<Quad> {
  /**
   * By content, so that equal quads are kept once. An N3 store is slower to fill, so it is only
   * made when it is needed. From then on, quads are added to it, and this map is no longer used.
   */
  readonly #quads = new Map<string, Quad>();
  #store: Store | undefined;

  /**
   * Adds an entity of type `abi:<type>` and returns its URI: that of `entityUri` if the properties
   * have an `id`, and a random one otherwise.
   * @throws ValidationError for invalid names, an `id` that is empty or not a string or number, and
   *   values that can't be stored
   */
  createEntity(type: string, properties: Properties = {}): NamedNode {
    const uri = DataFactory.namedNode(entityUri(type, idOf(properties)));
    this.#add(uri, rdf.type, DataFactory.namedNode(ABI + type));
    for (const [name, value] of Object.entries(properties)) {
      if (value !== undefined) this.addProperty(uri, name, value);
    }
    return uri;
  }

  /** Adds one value; a property can have several. */
  addProperty(uri: NamedNode, name: PropertyName, value: PropertyValue): void {
    const predicate = property(name);
    this.#add(uri, predicate, toTerm(value, `The value of ${predicate.value}`));
  }

  createRelationship(subject: NamedNode, name: PropertyName, object: NamedNode): void {
    this.addProperty(subject, name, object);
  }

  /** Finds the URIs of all entities of a type that have all the given values. */
  findEntities(type: string, properties: Properties = {}): NamedNode[] {
    assertLocalName(type);
    const wanted = Object.entries(properties).flatMap(([name, value]) =>
      value === undefined ? [] : [{ predicate: property(name), object: toTerm(value, `The value of ${name}`) }],
    );
    const store = this.getGraph();
    return store
      .getSubjects(rdf.type, DataFactory.namedNode(ABI + type), null)
      .filter((subject) => subject.termType === "NamedNode")
      .filter((subject) =>
        wanted.every(({ predicate, object }) => store.has(DataFactory.quad(subject, predicate, object))),
      );
  }

  /** The quads as an N3 store. What you add to that store becomes part of this graph. */
  getGraph(): Store {
    return (this.#store ??= new (n3().Store)([...this.#quads.values()]));
  }

  [Symbol.iterator](): Iterator<Quad> {
    return (this.#store ?? this.#quads.values())[Symbol.iterator]();
  }

  #add(subject: NamedNode, predicate: NamedNode, object: NamedNode | Literal): void {
    toTerm(subject, "The entity's URI");
    const quad = DataFactory.quad(subject, predicate, object);
    if (this.#store) this.#store.addQuad(quad);
    else this.#quads.set(`${subject.value} ${predicate.value} ${keyOf(object)}`, quad);
  }
}

const keyOf = (object: NamedNode | Literal): string =>
  object.termType === "NamedNode"
    ? `<${object.value}>`
    : `"${object.value}"@${object.language}^^${object.datatype.value}`;

function idOf({ id }: Properties): string {
  if (id === undefined) return randomUUID();
  if (typeof id === "string" || typeof id === "number") return String(id);
  throw new ValidationError("An entity's id must be a string or a number.", { code: "invalid_id" });
}

function property(name: PropertyName): NamedNode {
  if (typeof name !== "string") {
    toTerm(name, "The property");
    return name;
  }
  assertLocalName(name);
  return DataFactory.namedNode(ABI + name);
}
