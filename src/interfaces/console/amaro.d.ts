/** The part that we use of `amaro`, the package with Node.js's type stripping. */
declare module "amaro" {
  export function transformSync(code: string, options: { mode: "strip-only" }): { code: string };
}
