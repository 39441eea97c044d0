/** Returns the part with some of its methods replaced; the part itself stays unchanged. */
export function withMethods<Part extends object>(part: Part, methods: Partial<Part>): Part {
  const get = (target: Part, property: string | symbol): unknown => {
    if (Object.hasOwn(methods, property)) return methods[property as keyof Part];
    const value: unknown = Reflect.get(target, property, target);
    // Bind methods to the part itself, because a proxy doesn't have its private fields.
    return typeof value === "function" ? (value.bind(target) as unknown) : value;
  };
  return new Proxy(part, { get });
}
