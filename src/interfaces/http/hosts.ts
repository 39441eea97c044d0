/**
 * Checks whether a request was meant for this service. Pages of other sites must not get through,
 * even if their own host name resolves to this machine (DNS rebinding).
 */
import { ValidationError } from "../../errors.ts";

/** The host name in a `Host` header, without the port. */
const nameOf = (host: string): string => host.toLowerCase().replace(/:\d*$/, "");

/**
 * Checks the host name by which a request calls this service.
 * @param allowed host names, with or without a port
 * @throws ValidationError (`host_not_allowed`)
 */
export function checkHost({ headers, url }: Request, allowed: readonly string[]): void {
  const host = (headers.get("host") ?? new URL(url).host).toLowerCase();
  const isAllowed = allowed.some((one) => one.toLowerCase() === host || one.toLowerCase() === nameOf(host));
  if (isAllowed) return;
  throw new ValidationError(
    "This service does not answer to that host name. HTTP_ALLOWED_HOSTS lists the names that it accepts.",
    {
      code: "host_not_allowed",
    },
  );
}

/**
 * Checks which site's page sent a request, as the browser declares it.
 * @param allowed origins besides our own, such as `https://app.example.org`
 * @throws ValidationError (`origin_not_allowed`)
 */
export function checkOrigin({ headers, url }: Request, allowed: readonly string[]): void {
  const origin = headers.get("origin");
  if (origin !== null && allowed.includes(origin)) return;
  // Browsers request images and scripts for another site's page without an origin, but with
  // `Sec-Fetch-Site`. Following a link from there is allowed.
  const isEmbedded = headers.get("sec-fetch-site") === "cross-site" && headers.get("sec-fetch-mode") !== "navigate";
  if (origin === null && !isEmbedded) return;
  const host = headers.get("host") ?? new URL(url).host;
  // Don't compare the scheme: a proxy in front of us may terminate TLS.
  if (origin !== null && URL.parse(origin)?.host === host.toLowerCase()) return;
  throw new ValidationError("Pages of that site may not call this service. HTTP_CORS_ORIGINS lists those that may.", {
    code: "origin_not_allowed",
  });
}
