import { platform } from "node:os";
import { host, type CommandHost } from "./host.ts";

/** Opens a page in the user's browser, where a person is likely to look at one. Resolves with whether one was started. */
export async function openInBrowser(url: string): Promise<boolean> {
  if (!hasBrowser(host())) return false;
  const { default: open } = await import("open");
  return open(url).then(
    () => true,
    () => false,
  );
}

/** Not in CI, without a terminal, or on a machine that somebody else sits at; where BROWSER names one, it is wanted. */
function hasBrowser({ env, stdout }: CommandHost): boolean {
  const browser = env["BROWSER"];
  if (stdout.isTTY !== true || env["CI"] || browser === "none") return false;
  if (browser) return true;
  if (env["SSH_CONNECTION"] || env["SSH_TTY"]) return false;
  return platform() !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"] || env["WSL_DISTRO_NAME"]);
}
