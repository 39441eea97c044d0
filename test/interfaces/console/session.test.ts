import { createHash, createHmac } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  approveByKey,
  chromiumPath,
  open,
  person,
  serveConsole,
  SKIPPED,
  submit,
  useBrowser,
  type ConsoleService,
} from "../../support/console.ts";

const SECRET = "ann-0123456789abcdef";
const TOKENS = { httpTokens: `Ann:approve+feedback:read+feedback:write:${SECRET}` };

const signIn = ({ url }: ConsoleService, headers: Record<string, string> = {}) =>
  fetch(`${url}/session`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close", origin: url, ...headers },
    body: JSON.stringify({ token: SECRET }),
  });

const cookieOf = (response: Response): string => response.headers.get("set-cookie")!.split(";")[0]!;

describe("a session", () => {
  it("is a cookie that pages can't read, that other sites can't use, and that doesn't contain the token", async () => {
    const service = await serveConsole(TOKENS);
    const response = await signIn(service);
    expect(await response.json()).toEqual({
      name: "Ann",
      scopes: ["approve", "feedback:read", "feedback:write"],
    });
    const cookie = response.headers.get("set-cookie")!;
    expect(cookie).toMatch(/^abi_session=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain("ann-");
    const secure = await signIn(service, { origin: service.url.replace("http:", "https:") });
    expect(secure.headers.get("set-cookie")).toMatch(/; Secure$/);
  });

  it("is valid only for requests from our own pages", async () => {
    const service = await serveConsole(TOKENS);
    const { url } = service;
    const cookie = cookieOf(await signIn(service));
    const status = async (method: string, path: string, headers: Record<string, string>) =>
      (await fetch(url + path, { method, headers: { cookie, ...headers } })).status;
    const own = { "sec-fetch-site": "same-origin" };
    expect(await status("GET", "/runs", own)).toBe(200);
    expect(await status("GET", "/runs", { "sec-fetch-site": "same-site" })).toBe(401);
    expect(await status("GET", "/runs", { "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await status("POST", "/runs/workflow-1/cancel", own)).toBe(404);
    expect(await status("POST", "/runs/workflow-1/cancel", { origin: url })).toBe(404);
    expect(await status("POST", "/runs/workflow-1/cancel", {})).toBe(401);
    expect(await status("POST", "/runs/workflow-1/cancel", { origin: "https://evil.example" })).toBe(403);
  });

  it("survives a restart, but ends with its token, after its time, or if it is tampered with", async () => {
    const service = await serveConsole(TOKENS);
    const cookie = cookieOf(await signIn(service));
    const who = async (sent: string) =>
      (
        await fetch(`${service.url}/session`, {
          headers: { cookie: sent, "sec-fetch-site": "same-origin", connection: "close" },
        })
      ).status;
    await service.stop();
    await service.start();
    expect(await who(cookie)).toBe(200);
    const [name, value] = cookie.split("=") as [string, string];
    const [expires, proof] = value.split(".") as [string, string];
    expect(await who(`${name}=${Number(expires) + 1}.${proof}`)).toBe(401);
    expect(await who(`${name}=1.${proof}`)).toBe(401);
    await service.stop();
    await service.start({ httpTokens: "ann:approve:another-0123456789" });
    expect(await who(cookie)).toBe(401);
  });

  it("can't be forged from a token's hash without the service's key, nor outlive its time with it", async () => {
    const service = await serveConsole(TOKENS);
    const hash = createHash("sha256").update(SECRET).digest();
    const status = async (key: Buffer, content: (expires: number) => (Buffer | string)[], seconds: number) => {
      const expires = Math.floor(Date.now() / 1000) + seconds;
      const proof = createHmac("sha256", key);
      for (const part of content(expires)) proof.update(part);
      const cookie = `abi_session=${expires}.${proof.digest("base64url")}`;
      return (await fetch(`${service.url}/session`, { headers: { cookie, "sec-fetch-site": "same-origin" } })).status;
    };
    const words = (expires: number): string => `abi-workflows session until ${expires}`;
    expect(await status(hash, (expires) => [words(expires)], 3600)).toBe(401);
    const key = readFileSync(join(dirname(service.outbox), "session.key"));
    expect(statSync(join(dirname(service.outbox), "session.key")).mode & 0o077).toBe(0);
    expect(await status(key, (expires) => [hash, words(expires)], 3600)).toBe(200);
    expect(await status(key, (expires) => [hash, words(expires)], 13 * 3600)).toBe(401);
  });

  it("is needed to decide even if there are no tokens, whatever a program claims about its origin", async () => {
    const { url, token } = await serveConsole();
    const approvals = async (headers: Record<string, string>) => (await fetch(`${url}/approvals`, { headers })).status;
    for (const site of ["same-origin", "same-site", "none"]) {
      expect(await approvals({ "sec-fetch-site": site })).toBe(401);
    }
    expect(await approvals({ "sec-fetch-site": "cross-site" })).toBe(403);
    const response = await fetch(`${url}/session`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: url },
      body: JSON.stringify({ token }),
    });
    expect(await approvals({ "sec-fetch-site": "same-origin", cookie: cookieOf(response) })).toBe(200);
  });
});

describe.skipIf(!chromiumPath)(`signing in ${SKIPPED}`, () => {
  useBrowser();

  it("shows the next person nothing that the previous one has seen", async () => {
    const other = "bob-0123456789abcdef";
    const service = await serveConsole({ httpTokens: `${TOKENS.httpTokens},Bob:approve:${other}` });
    await submit(service, {});
    const page = await open(service, "", { expected: /40[13]/ });
    for (const secret of [SECRET, other]) {
      await page.getByLabel("Token").fill(secret);
      await page.keyboard.press("Enter");
      if (secret === SECRET) await page.locator(".row").waitFor();
      else await page.getByRole("heading", { name: "Approvals" }).waitFor();
      expect(await page.locator(".row").count()).toBe(secret === SECRET ? 1 : 0);
      await page.getByRole("button", { name: /Sign out/ }).click();
    }
  });

  it("leads to the first page that the person may see, and lists no forbidden ones", async () => {
    const service = await serveConsole({ httpTokens: `Bob:approve:${SECRET}` });
    await submit(service, {});
    const page = await open(service, "", { expected: /40[13]/ });
    await page.getByLabel("Token").fill(SECRET);
    await page.keyboard.press("Enter");
    await page.locator(".mail-head").waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/console\/approvals/);
    expect(await page.locator(".side li .side-text").allTextContents()).toEqual(["Approvals"]);
    expect(await page.getByText("You may not see this").count()).toBe(0);
    // A forbidden page that a link leads to says why it is empty.
    await page.goto(`${service.url}/console/runs`);
    await page.getByText("You may not see this").waitFor();
    await page.keyboard.press("1");
    await page.locator(".mail-head").waitFor();
  });

  it("shows no links to pages that the person may not see", async () => {
    const [reader, decider, admin] = ["reader-0123456789ab", "decider-0123456789a", "admin-0123456789abc"];
    const service = await serveConsole(
      { httpTokens: `Ann:feedback:read:${reader},Bob:approve:${decider},Cleo:admin:${admin}` },
      { isSample: true },
    );
    const [id] = await submit(service, {
      customer_id: "C-1022",
      subject: "Outage",
      feedback_text: "The third outage this month. I am furious.",
    });
    const as = async (secret: string, path: string): Promise<Page> => {
      const context = await person();
      const options = { data: { token: secret }, headers: { origin: service.url } };
      await context.request.post(`${service.url}/session`, options);
      return open(service, path, { context, expected: /404/ });
    };
    /** The pages that the links on a page lead to, once it shows this text. */
    const linked = async (page: Page, text: string): Promise<string[]> => {
      await page.locator("main").getByText(text).first().waitFor();
      const links = await page
        .locator("main a")
        .evaluateAll((all) => all.map((one) => (one as unknown as { pathname: string }).pathname.split("/")[2] ?? ""));
      return [...new Set(links)].toSorted();
    };
    expect(await linked(await as(reader, ""), "Outage")).toEqual(["feedback"]);
    expect(await linked(await as(reader, "feedback/F-1"), "Sentiment by")).toEqual(["", "runs"]);
    const decision = await as(decider, `approvals/${id}`);
    await decision.locator(".mail-head").waitFor();
    const { workflow } = service.application;
    const { rendering } = (await workflow.getPendingResponse(id!))!;
    await workflow.approveResponse(id!, { rendering, by: "Ann" });
    expect(await linked(decision, "no longer waiting")).toEqual(["approvals"]);
    await decision.reload();
    expect(await linked(decision, "This email is no longer waiting")).toEqual([]);
    expect(await linked(await as(admin, "charts"), "Who is unhappy")).toEqual([]);
  });

  it("is followed by a message if signing out fails", async () => {
    const page = await open(await serveConsole(), "runs", { expected: /ERR_FAILED/ });
    await page.route("**/session/end", (route) => route.abort());
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByText("You are still signed in").waitFor();
    expect(await page.getByRole("heading", { name: "Runs" }).count()).toBe(1);
  });

  it("stores the token nowhere in the browser, and puts its name on decisions", async () => {
    const service = await serveConsole(TOKENS);
    const [id] = await submit(service, {});
    const context = await person();
    const page = await open(service, `approvals/${id}`, { context, expected: /401/ });
    await page.getByLabel("Token").fill("nonsense-0123456789");
    await page.keyboard.press("Enter");
    await page.getByText("The service doesn't know this token").waitFor();
    await page.getByLabel("Token").fill(SECRET);
    await page.keyboard.press("Enter");
    await page.locator(".mail-head").waitFor();
    const kept = await page.evaluate(
      "JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    expect(kept).not.toContain(SECRET);
    expect(JSON.stringify(await context.cookies())).not.toContain(SECRET);
    await approveByKey(page);
    await page.getByText("No emails waiting").waitFor();
    await service.application.workflow.getWorkflowResult(id!);
    await page.goto(`${service.url}/console/feedback/F-1`);
    await page.getByText("Approved by").getByText("Ann").waitFor();
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByLabel("Token").waitFor();
    await page.reload();
    await page.getByLabel("Token").waitFor();
  });
});
