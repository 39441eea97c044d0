/** The part that is used of the package in which Node.js has its type stripping. */
declare module "amaro" {
  export function transformSync(code: string, options: { mode: "strip-only" }): { code: string };
}
