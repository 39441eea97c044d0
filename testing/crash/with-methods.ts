/** The part with some of its methods in place of its own. */
export function withMethods<Part extends object>(part: Part, methods: Partial<Part>): Part {
  const get = (target: Part, property: string | symbol): unknown => {
    if (Object.hasOwn(methods, property)) return methods[property as keyof Part];
    const value: unknown = Reflect.get(target, property, target);
    // Bound to the part itself, whose private fields a proxy has not.
    return typeof value === "function" ? (value.bind(target) as unknown) : value;
  };
  return new Proxy(part, { get });
}
