import { expect, test } from "../support/test.ts";

test("every page a stranger can reach is whole, accessible and fits", async ({ page, awake, expectAccessible, expectFits }) => {
  test.setTimeout(120_000);
  for (const path of ["/", "/activate", "/activate/code", "/activate/file", "/release", "/lost-key", "/mail/stop?email=a@b.example", "/offline", "/inspect", "/vendor/sign-in"]) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(200);
    await awake();
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expect(page.locator("main")).toHaveCount(1);
    await expectFits();
    await expectAccessible();
  }
});

test("every page of the vendor's is whole, accessible and fits", async ({ page, portal, asOwner, javaScriptEnabled, expectAccessible, expectFits }) => {
  test.setTimeout(400_000);
  await portal.issue("--seats", "2", "--customer", "ann@customer.example", "--order", `pages-${test.info().project.name}`);
  await asOwner();
  const seen = new Set<string>();
  const waiting = ["/vendor"];
  // One of each kind: what differs by id alone looks alike, and each tab is a page of its own.
  const kind = (path: string) => path.replace(/\/[^/?]*\d[^/?]*/g, "/:id");
  for (let path = waiting.shift(); path; path = waiting.shift()) {
    if (seen.has(kind(path))) continue;
    seen.add(kind(path));
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(200);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expectFits();
    // Without JavaScript the page is the same to the letter.
    if (javaScriptEnabled) await expectAccessible();
    const links = await page.locator("a[href^='/vendor']:not([download])").evaluateAll((all) =>
      all.map((a) => {
        const { pathname, searchParams } = new URL((a as HTMLAnchorElement).href);
        const tab = searchParams.get("tab");
        return tab ? `${pathname}?tab=${tab}` : pathname;
      }),
    );
    waiting.push(...links.filter((link) => !/\.\w+$/.test(link)));
  }
  expect(seen.size, [...seen].join(" ")).toBeGreaterThan(20);
  const tabs = [...seen].filter((path) => path.includes("?tab=")).map((path) => path.replace(/.*\/vendor\/(\w+)\/.*=/, "$1 "));
  expect([...new Set(tabs)].sort()).toEqual(["licenses edit", "licenses features", "licenses history", "licenses message", "licenses refusals", "products features", "products history", "products policies", "products rules"]);
});

test("what no link leads to is accessible and fits, too: a question, a refused form, an empty list", async ({ page, portal, asOwner, javaScriptEnabled, expectStatus, expectAccessible, expectFits }) => {
  test.setTimeout(60_000);
  expectStatus(422, "/vendor/licenses/new");
  expectStatus(404, "/vendor/licenses/none");
  const key = await portal.issue("--seats", "1");
  await asOwner();
  await page.goto(`/vendor/licenses?q=${key}`);
  await page.getByRole("link", { name: key }).click();
  const opener = (name: string) => page.getByRole(javaScriptEnabled ? "button" : "link", { name });
  for (const [name, title] of [["Renew…", "Renew this license"], ["Disable…", "Disable this license"]] as const) {
    await opener(name).click();
    await expect(page.getByRole("dialog", { name: title })).toBeVisible();
    await expectFits();
    await expectAccessible();
    await page.getByRole("dialog", { name: title }).getByText("Cancel").click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  if (javaScriptEnabled) {
    // A button answers the space bar, and closing gives the focus back.
    for (const press of [" ", "Enter"]) {
      await opener("Disable…").focus();
      await page.keyboard.press(press);
      await expect(page.getByRole("dialog", { name: "Disable this license" })).toBeVisible();
      await page.keyboard.press("Escape");
      await expect(opener("Disable…")).toBeFocused();
    }
  }
  await page.goto("/vendor/licenses/new?product=PRESS4");
  await page.getByLabel("Time-limited").check();
  await page.getByLabel("Seats", { exact: true }).fill("0");
  await page.getByRole("button", { name: "Issue", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Type a number from 1 to 1,000,000");
  await expectFits();
  await expectAccessible();
  for (const list of ["licenses", "orders", "refusals", "audit"]) {
    await page.goto(`/vendor/${list}?q=nobody-has-this-${process.pid}`);
    await expect(page.getByRole("heading", { level: 2 }).first()).toHaveText(/No \w+ matches|Nothing to show/);
    await expectFits();
    if (javaScriptEnabled) await expectAccessible();
  }
  expect((await page.goto("/vendor/licenses/none"))!.status()).toBe(404);
  await expect(page.getByRole("navigation", { name: "Sections" })).toBeVisible();
  await expectFits();
  await expectAccessible();
});

test("no link on a page is dead", async ({ page, request, portal, asOwner }) => {
  test.setTimeout(120_000);
  await portal.issue("--seats", "1");
  const checked = new Map<string, number>();
  const follow = async (from: string) => {
    await page.goto(from);
    const links = await page.locator("a[href]").evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href));
    for (const link of new Set(links.filter((link) => link.startsWith(portal.url)).map((link) => link.split("#")[0]!))) {
      if (!checked.has(link)) checked.set(link, (await page.request.get(link)).status());
      expect(checked.get(link), `${link}, linked from ${from}`).toBe(200);
    }
  };
  for (const path of ["/", "/activate", "/offline", "/inspect"]) await follow(path);
  await asOwner();
  for (const path of ["/vendor", "/vendor/licenses", "/vendor/orders", "/vendor/products", "/vendor/settings"]) await follow(path);
  expect(checked.size).toBeGreaterThan(10);
  expect((await request.get("/no-such-page")).status()).toBe(404);
});

test("an unknown page says so, with status 404", async ({ page, expectStatus, expectAccessible }) => {
  expectStatus(404, "/no-such-page");
  const answer = await page.goto("/no-such-page");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectAccessible();
});

test("every answer carries the policy that keeps foreign scripts out", async ({ page }) => {
  for (const path of ["/", "/activate", "/vendor/sign-in"]) {
    const headers = (await page.goto(path))!.headers();
    expect(headers["content-security-policy"]).toMatch(/script-src 'nonce-[\w-]{22}' 'strict-dynamic' 'wasm-unsafe-eval'/);
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("same-origin");
  }
});
