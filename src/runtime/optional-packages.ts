import { ValidationError } from "../errors.ts";

/**
 * Loads a module that needs optional packages.
 * @throws ValidationError (`package_missing`) that says what to install
 */
export async function withPackages<Module>(packages: readonly string[], load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = packages.find((name) => message.includes(`'${name}'`));
    if (code !== "ERR_MODULE_NOT_FOUND" || missing === undefined) throw error;
    throw new ValidationError(
      `This needs the package ${missing}, which is not installed. Run: npm install ${packages.join(" ")}`,
      { code: "package_missing", cause: error },
    );
  }
}
