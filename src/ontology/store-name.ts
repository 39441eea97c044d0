import { ValidationError } from "../errors.ts";

const STORE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The IRI under which a store can be reached as a named graph: `GRAPH <…/customer_data> { … }`.
 * @throws ValidationError for a name that is not 1–64 letters, digits, `_` or `-`
 */
export function storeIri(store: string): string {
  if (!STORE_NAME.test(store)) {
    throw new ValidationError("A store's name has 1 to 64 letters, digits, underscores or hyphens.", {
      code: "invalid_store_name",
    });
  }
  return `http://example.org/abi/stores/${store}`;
}
