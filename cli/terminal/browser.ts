import { platform } from "node:os";
import { host, type CommandHost } from "./host.ts";

/**
 * Opens a page in a browser if a person is likely to see it. Resolves with whether a browser was
 * started.
 */
export async function openInBrowser(url: string): Promise<boolean> {
  if (!hasBrowser(host())) return false;
  const { default: open } = await import("open");
  return open(url).then(
    () => true,
    () => false,
  );
}

/**
 * False in CI, without a terminal, and if BROWSER is `none`. On a remote machine, or on Linux
 * without a display, false unless BROWSER names a browser.
 */
function hasBrowser({ env, stdout }: CommandHost): boolean {
  const browser = env["BROWSER"];
  if (stdout.isTTY !== true || env["CI"] || browser === "none") return false;
  if (browser) return true;
  if (env["SSH_CONNECTION"] || env["SSH_TTY"]) return false;
  return platform() !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"] || env["WSL_DISTRO_NAME"]);
}
