/** Whether a request was meant for this service: a page that has its name point here (DNS rebinding) must not get through. */
import { ValidationError } from "../../errors.ts";

/** The name of `Host` without its port. */
const nameOf = (host: string): string => host.toLowerCase().replace(/:\d*$/, "");

/** @throws ValidationError (`host_not_allowed`) */
export function checkHost({ headers, url }: Request, allowed: readonly string[]): void {
  const host = (headers.get("host") ?? new URL(url).host).toLowerCase();
  const isAllowed = allowed.some((one) => one.toLowerCase() === host || one.toLowerCase() === nameOf(host));
  if (isAllowed) return;
  throw new ValidationError(
    "This service is not called by that name. HTTP_ALLOWED_HOSTS lists the names that it has.",
    {
      code: "host_not_allowed",
    },
  );
}

/**
 * A browser says of which site the page is that sends the request.
 * @throws ValidationError (`origin_not_allowed`)
 */
export function checkOrigin({ headers, url }: Request, allowed: readonly string[]): void {
  const origin = headers.get("origin");
  if (origin !== null && allowed.includes(origin)) return;
  // An image or a script of another site comes without an origin. A link that somebody follows may.
  const isEmbedded = headers.get("sec-fetch-site") === "cross-site" && headers.get("sec-fetch-mode") !== "navigate";
  if (origin === null && !isEmbedded) return;
  const host = headers.get("host") ?? new URL(url).host;
  // Not the scheme: a proxy in front of us may speak TLS.
  if (origin !== null && URL.parse(origin)?.host === host.toLowerCase()) return;
  throw new ValidationError("Pages of that site may not call this service. HTTP_CORS_ORIGINS lists those that may.", {
    code: "origin_not_allowed",
  });
}
