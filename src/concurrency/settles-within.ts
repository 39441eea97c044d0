/** Whether work ends within a limit in milliseconds, successfully or not. */
export async function settlesWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  const over = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => over.resolve(false), limitMs);
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
