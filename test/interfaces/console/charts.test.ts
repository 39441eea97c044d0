import { describe, expect, it } from "vitest";
import { chromiumPath, open, person, serveConsole, SKIPPED, submit, useBrowser } from "../../support/console.ts";

const COMPLAINT = {
  feedback_id: "F-2",
  customer_id: "C-1022",
  feedback_text: "The third outage this month. I am furious.",
};

describe.skipIf(!chromiumPath)(`charts ${SKIPPED}`, () => {
  useBrowser();

  it("count the feedback that arrived in the chosen range, which is part of the address", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {}, COMPLAINT);
    const old = "2020-01-01T00:00:00Z";
    await service.application.ontologyStore.update(
      "feedback_data",
      `PREFIX abi: <http://example.org/abi#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
       DELETE { ?f abi:timestamp ?t } INSERT { ?f abi:timestamp "${old}"^^xsd:dateTime }
       WHERE { ?f abi:id "F-2" ; abi:timestamp ?t }`,
      {},
    );
    const page = await open(service, "charts");
    const total = page.locator(".tile", { hasText: "Feedback" }).locator("dd");
    await expect.poll(() => total.textContent()).toBe("2");
    await page.getByRole("button", { name: "7 days" }).click();
    await expect.poll(() => total.textContent()).toBe("1");
    expect(new URL(page.url()).search).toBe("?range=7");
    expect(await page.locator(".tile", { hasText: "Negative" }).locator("dd").textContent()).toBe("0 %");
    await page.reload();
    await expect.poll(() => total.textContent()).toBe("1");
    await page.goBack();
    await expect.poll(() => total.textContent()).toBe("2");
  });

  it("say that their times are UTC, wherever the person is", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {});
    const page = await open(service, "charts", { context: await person({ timezoneId: "Asia/Tokyo" }) });
    const chart = page.locator(".figure", { has: page.getByRole("heading", { name: "over time (UTC)" }) });
    await chart.getByText("Figures").click();
    expect(await chart.locator("th").first().innerText()).toBe("Time (UTC)");
    const { timestamp } = await service.application.workflow.getFeedback("F-1");
    expect(await chart.locator("td").first().innerText()).toBe(timestamp.slice(11, 16));
  });

  it("show full dates even on a phone", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, ...Array.from({ length: 13 }, (_, n) => ({ feedback_id: `F-${n}` })));
    for (let n = 0; n < 13; n += 1) {
      await service.application.ontologyStore.update(
        "feedback_data",
        `PREFIX abi: <http://example.org/abi#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
         DELETE { ?f abi:timestamp ?t } INSERT { ?f abi:timestamp "2026-11-${10 + n}T12:00:00Z"^^xsd:dateTime }
         WHERE { ?f abi:id "F-${n}" ; abi:timestamp ?t }`,
        {},
      );
    }
    const page = await open(service, "charts", { context: await person({ viewport: { width: 390, height: 844 } }) });
    const labels = page.locator("svg .axis");
    await expect.poll(() => labels.last().textContent()).toBe("22 Nov");
    const [plot, label] = [(await page.locator(".plot svg").boundingBox())!, (await labels.last().boundingBox())!];
    expect(label.x + label.width).toBeLessThanOrEqual(plot.x + plot.width + 1.5);
    expect(label.width).toBeGreaterThan(30);
  });

  it("update by themselves while somebody looks at them", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {});
    const page = await open(service, "charts");
    const total = page.locator(".tile", { hasText: "Feedback" }).locator("dd");
    await expect.poll(() => total.textContent()).toBe("1");
    await submit(service, { feedback_id: "F-3" });
    await expect.poll(() => total.textContent(), { timeout: 60_000 }).toBe("2");
  });

  it("show an answer from the graph without cutting off a figure or name", async () => {
    const service = await serveConsole({ approval: false });
    const names = ["A name that takes some room", "B"];
    const query = `SELECT ?name ?n { VALUES (?name ?n) { ("${names[0]}" 1234567.25) ("${names[1]}" 617283.625) } } ORDER BY ?name`;
    const page = await open(service, `graph?query=${encodeURIComponent(query)}`);
    await page.getByRole("button", { name: "Chart", exact: true }).click();
    const rows = page.locator(".bars-row");
    await expect.poll(() => rows.locator(".bars-label").allTextContents()).toEqual(names);
    expect(await rows.locator(".bars-total").allTextContents()).toEqual(["1,234,567.25", "617,283.625"]);
    const widths = await rows
      .locator(".bars-track .fill")
      .evaluateAll((all) => all.map((one) => (one as unknown as { offsetWidth: number }).offsetWidth));
    expect(widths[1]! / widths[0]!).toBeCloseTo(0.5, 1);
    expect(widths[0]).toBeGreaterThan(100);
    const cut = await page
      .locator(".bars-label, .bars-total")
      .evaluateAll((all) =>
        (all as unknown as { scrollWidth: number; clientWidth: number; textContent: string }[])
          .filter((one) => one.scrollWidth > one.clientWidth)
          .map((one) => one.textContent),
      );
    expect(cut).toEqual([]);
    await page.getByRole("button", { name: "Table", exact: true }).click();
    await page.locator("td", { hasText: "1234567.25" }).waitFor();
  });

  it("show the complaints of unhappy customers", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, COMPLAINT);
    const page = await open(service, "graph");
    await page.getByRole("link", { name: "Which customers are unhappy" }).click();
    await page.getByRole("button", { name: "Chart", exact: true }).click();
    await page.getByRole("heading", { name: "complaints by name" }).waitFor();
    expect(await page.locator(".bars-total").allTextContents()).toEqual(["1"]);
  });

  it("name an unhappy customer by the id, if the customer data doesn't have the name", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, COMPLAINT);
    const update = (store: string, sparql: string) => service.application.ontologyStore.update(store, sparql, {});
    await update("customer_data", "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }");
    const page = await open(service, "charts");
    const row = page.getByRole("region", { name: "Unhappy customers" }).locator("tbody tr");
    await row.getByRole("link", { name: "C-1022" }).click();
    await page.getByText("Customer C-1022").waitFor();
    await page.locator(".row").waitFor();
    expect(new URL(page.url()).search).toBe("?customer_id=C-1022&sentiment=negative");
    await update(
      "feedback_data",
      `PREFIX abi: <http://example.org/abi#> DELETE { ?f abi:providedBy ?c }
       INSERT { ?f abi:providedBy <http://example.org/abi/Customer/A%2FB%20C> } WHERE { ?f abi:providedBy ?c }`,
    );
    await page.goto(`${service.url}/console/charts`);
    await row.getByRole("link", { name: "A/B C" }).waitFor();
  });

  it("ask the graph again on request, but not with a blank query, and draw no column without a number", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {});
    const query = "SELECT ?f ?n { ?f a abi:Feedback OPTIONAL { ?f abi:nothing ?n } }";
    const page = await open(service, `graph?query=${encodeURIComponent(query)}`);
    const answer = page.getByRole("region", { name: "Answer" });
    await answer.waitFor();
    expect(await answer.getByRole("button", { name: "Chart" }).count()).toBe(0);
    const gate = Promise.withResolvers<void>();
    let requests = 0;
    await page.route("**/sparql?*", async (route) => {
      requests += 1;
      await gate.promise;
      await route.continue();
    });
    const button = page.getByRole("button", { name: /^Ask/ });
    await button.click();
    await expect.poll(() => button.isDisabled()).toBe(true);
    expect(await answer.count()).toBe(0);
    gate.resolve();
    await answer.waitFor();
    await page.getByLabel("Query").fill("  ");
    await page.keyboard.press("Control+Enter");
    await page.getByLabel("Query").fill("ASK { ?f a abi:Feedback }");
    await page.keyboard.press("Control+Enter");
    await answer.getByText("Yes", { exact: true }).waitFor();
    expect(requests).toBe(2);
  });

  it("query the graph as it was asked, whether the query declares prefixes or not", async () => {
    const service = await serveConsole({ approval: false });
    await submit(service, {});
    const page = await open(service, "graph");
    for (const [query, answer] of [
      ["ASK { ?f a abi:Feedback }", "Yes"],
      ["PREFIX my: <http://example.org/abi#> ASK { ?f a my:Feedback ; abi:id 'F-1' }", "Yes"],
      ["PREFIX abi: <http://example.org/other#> ASK { ?f a abi:Feedback }", "No"],
    ] as const) {
      const asked = page.waitForRequest("**/sparql?*");
      await page.goto(`${service.url}/console/graph?query=${encodeURIComponent(query)}`);
      expect((await asked).postData()).toBe(query);
      await page.getByText(answer, { exact: true }).waitFor();
    }
  });

  it.each(["null", "[1, null]", "{}", "no JSON"])(
    "ignore what is stored instead of questions, such as %s",
    async (text) => {
      const service = await serveConsole();
      const context = await person();
      await context.addInitScript(`localStorage.setItem("abi-console-questions", ${JSON.stringify(text)})`);
      const page = await open(service, "graph", { context });
      await page.getByRole("heading", { name: "Graph" }).waitFor();
      expect(await page.getByText("Saved in this browser").count()).toBe(0);
    },
  );

  it("come with saved questions, which can be deleted again", async () => {
    const service = await serveConsole();
    const context = await person();
    const page = await open(service, "graph", { context });
    await page.getByLabel("Query").fill("ASK { ?s ?p ?o }");
    await page.getByRole("button", { name: "Save this question" }).click();
    await page.getByLabel("Name of the question").fill("Is there anything?");
    await page.keyboard.press("Enter");
    const link = page.getByRole("link", { name: "Is there anything?" });
    await link.waitFor();
    await page.goto(`${service.url}/console/graph`);
    await link.click();
    await page
      .getByText("No", { exact: true })
      .or(page.getByText("Yes", { exact: true }))
      .waitFor();
    expect(await page.getByLabel("Query").inputValue()).toBe("ASK { ?s ?p ?o }");
    await page.getByRole("button", { name: "Forget Is there anything?" }).click();
    await link.waitFor({ state: "detached" });
    await page.reload();
    await page.getByLabel("Query").waitFor();
    expect(await link.count()).toBe(0);
  });
});

describe.skipIf(!chromiumPath)(`the light and dark themes ${SKIPPED}`, () => {
  useBrowser();

  it("can be chosen whatever the system's setting, and the choice is kept", async () => {
    const service = await serveConsole();
    const page = await open(service, "runs", { context: await person({ colorScheme: "light" }) });
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    const background = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const [light, dark] = ["rgb(251, 251, 252)", "rgb(17, 18, 20)"];
    expect(await background()).toBe(light);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await background()).toBe(dark);
    await page.getByRole("button", { name: "System" }).click();
    await page.getByRole("button", { name: "Light" }).waitFor();
    expect(await background()).toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Light" }).click();
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByRole("button", { name: "Dark" }).waitFor();
    expect(await background()).toBe(dark);
    await page.reload();
    await page.getByRole("button", { name: "Dark" }).waitFor();
    expect(await background()).toBe(dark);
  });
});
