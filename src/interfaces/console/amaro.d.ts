/** What we use of `amaro`, the package that strips types for Node.js. */
declare module "amaro" {
  export function transformSync(code: string, options: { mode: "strip-only" }): { code: string };
}
