import { fileURLToPath } from "node:url";
import { ValidationError } from "../../errors.ts";
import type { CustomerSource } from "./customer-source.ts";
import { FileCustomerSource } from "./file-customer-source.ts";
import { HttpCustomerSource, type HttpCustomerSourceOptions } from "./http-customer-source.ts";

/**
 * Creates the source for a location: a path, a `file:` URL, or an `http:` or `https:` URL. A URL
 * with `{id}` in it is for single customers. A URL without it lists all customers, for
 * `CustomerDataPipeline.loadAll`. All `options` except `fields` are for HTTP only.
 * @throws ValidationError for an invalid location
 * @example createCustomerSource("https://crm.example.com/customers/{id}", { token })
 */
export function createCustomerSource(
  location: string,
  options: Omit<HttpCustomerSourceOptions, "url"> = {},
): CustomerSource {
  if (/^https?:/i.test(location)) {
    return new HttpCustomerSource({ ...options, [location.includes("{id}") ? "url" : "listUrl"]: location });
  }
  if (/^[a-z][a-z0-9+.-]+:\//i.test(location) && !/^file:/i.test(location)) {
    throw new ValidationError(
      "The customer source has an unknown scheme. Give a file's path, or a service's http:// or https:// URL.",
      { code: "invalid_configuration" },
    );
  }
  const { fields } = options;
  return new FileCustomerSource(/^file:/i.test(location) ? toPath(location) : location, fields && { fields });
}

function toPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    // Node's error would contain the whole URL.
    throw new ValidationError("The file: URL of the customer source must point to a file on this machine.", {
      code: "invalid_configuration",
    });
  }
}
