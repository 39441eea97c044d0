import { ValidationError } from "../errors.ts";

/** Prefix of the stores' IRIs. On an endpoint, it is also the graph that lists the stores. */
export const STORES = "http://example.org/abi/stores";

const STORE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

export const isStoreName = (name: string): boolean => STORE_NAME.test(name);

/** The message for an invalid name. */
export const INVALID_STORE_NAME = "A store's name has 1 to 64 letters, digits, underscores or hyphens.";

/**
 * The IRI under which a store can be reached as a named graph: `GRAPH <…/customer_data> { … }`.
 * @throws ValidationError for a name that is not 1–64 letters, digits, `_` or `-`
 */
export function storeIri(store: string): string {
  // Without the check of the type, other values would be converted to strings, even `undefined`.
  if (typeof store !== "string" || !isStoreName(store)) {
    throw new ValidationError(INVALID_STORE_NAME, { code: "invalid_store_name" });
  }
  return `${STORES}/${store}`;
}

/** The name in an IRI of `storeIri`; undefined for any other IRI. */
export function storeName(iri: string): string | undefined {
  const name = iri.startsWith(`${STORES}/`) ? iri.slice(STORES.length + 1) : "";
  return isStoreName(name) ? name : undefined;
}
