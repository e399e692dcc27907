import fs from "node:fs";
import { computerId } from "../support/sample.ts";
import { expect, test, type TestPortal } from "../support/test.ts";
import type { Page } from "@playwright/test";

async function ask(page: Page, portal: TestPortal, awake: () => Promise<void>, key: string, computer: string, more: { name?: string; email?: string } = {}) {
  await page.goto("/activate");
  await awake();
  await page.getByLabel("Activation key").fill(key);
  await page.getByLabel("Computer id").fill(computer);
  if (more.name || more.email) {
    await page.getByText("Add a name or an e-mail address").click();
    await page.getByLabel("Computer name").fill(more.name ?? "");
    await page.getByLabel("E-mail address").fill(more.email ?? "");
  }
  await page.getByRole("button", { name: "Activate this computer" }).click();
  const shown = page.locator("#computer-key");
  // A computer key is in no log, whichever test asked for it.
  if (await shown.count()) portal.secret((await shown.innerText()).trim());
}

async function reference(page: Page): Promise<string> {
  return (await page.getByText(/^Reference/).locator("strong").innerText()).trim();
}

/** What staff see of the refusal that this page shows the customer. */
async function refusal(portal: TestPortal, page: Page): Promise<string> {
  const answer = await portal.staff(`/vendor/refusals/${await reference(page)}`);
  expect(answer.status).toBe(200);
  return answer.text();
}

test("a key and a computer id become a computer key", async ({ page, portal, awake, expectAccessible, expectFits }) => {
  const key = await portal.issue("--seats", "2");
  const computer = computerId();
  await ask(page, portal, awake, key.toLowerCase().replaceAll("-", " "), computer, { name: "press-7", email: "ann.lee@customer.example" });

  await expect(page).toHaveURL(/\/activations\/[\w-]{43}$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Press Designer 4 is ready on press-7");
  const computerKey = (await page.locator("#computer-key").innerText()).trim();
  expect(computerKey.split(".")).toHaveLength(3);
  await expectFits();
  await expectAccessible();

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /^Download .*\.lic$/ }).click()]);
  expect(fs.readFileSync(await download.path(), "utf8").trim()).toBe(computerKey);
  expect(JSON.stringify(await portal.claims(computerKey))).toContain(computer);
  const kept = await page.request.get(page.url());
  expect(kept.headers()).toMatchObject({ "cache-control": "no-store", "x-robots-tag": "noindex" });

  // The address alone is enough to come back to it.
  await page.goto(page.url());
  await expect(page.locator("#computer-key")).toHaveText(computerKey);
});

test("the same computer again is the same activation and takes no seat", async ({ page, portal, awake }) => {
  const key = await portal.issue("--seats", "1");
  const computer = computerId();
  for (let time = 0; time < 2; time++) {
    await ask(page, portal, awake, key, computer);
    await expect(page.locator("#computer-key")).toBeVisible();
  }
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats: 1, seats_taken: 1 });
});

test("the same form sent four times at once is one activation", async ({ page, portal, request }) => {
  const key = await portal.issue("--seats", "5");
  await page.goto("/activate");
  const request_id = await page.locator("input[name=request_id]").inputValue();
  const form = { request_id, key, device_id: computerId(), device_name: "", email: "" };
  const send = () => request.post("/activate", { form, headers: { origin: portal.url }, maxRedirects: 0 });
  const answers = await Promise.all([send(), send(), send(), send()]);
  expect(answers.map((answer) => answer.status())).toEqual([303, 303, 303, 303]);
  expect(new Set(answers.map((answer) => answer.headers().location)).size).toBe(1);
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 1 });
});

test("a key mistyped in its third group is told so, and nothing typed is lost", async ({ page, portal, awake, javaScriptEnabled, expectStatus, expectAccessible }) => {
  // With JavaScript the browser says it, and sends nothing.
  if (!javaScriptEnabled) expectStatus(422, "/activate");
  const key = await portal.issue();
  const groups = key.split("-");
  const last = groups[2]!.at(-1)!;
  groups[2] = groups[2]!.slice(0, -1) + (last === "7" ? "8" : "7");
  const computer = computerId();
  await ask(page, portal, awake, groups.join("-"), computer);
  await expect(page.getByText(/third group/i).first()).toBeVisible();
  await expect(page).toHaveURL(/\/activate$/);
  await expect(page.getByLabel("Computer id")).toHaveValue(computer);
  await expect(page.getByLabel("Activation key")).toHaveValue(new RegExp(groups[2]!, "i"));
  await expectAccessible();
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 0 });
});

test("when all seats are taken the page names the machines and the ways out", async ({ page, portal, awake, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(409, "/activate");
  const key = await portal.issue("--seats", "2");
  const computers = [computerId(), computerId()];
  for (const [place, computer] of computers.entries()) {
    await ask(page, portal, awake, key, computer, { name: `press-${place + 1}` });
    await expect(page.locator("#computer-key")).toBeVisible();
  }
  await ask(page, portal, awake, key, computerId());
  await expect(page.getByRole("heading", { level: 1 })).toContainText("2 seats are taken");
  for (const [place, computer] of computers.entries()) {
    const holder = page.getByRole("listitem").filter({ hasText: `press-${place + 1}` });
    await expect(holder).toContainText(computer.slice(-4));
    await expect(holder).not.toContainText(computer);
  }
  await expect(page.getByRole("link", { name: "the offline page" })).toBeVisible();
  await expectFits();
  await expectAccessible();
  expect(await refusal(portal, page)).toContain("seats_exhausted");
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 2 });
});

test("each refusal says what happened and can be found by its reference", async ({ page, portal, awake, expectStatus }) => {
  expectStatus(409, "/activate");
  const disabled = await portal.issue();
  await portal.cli(["license", "disable", disabled, "--reason", "paid back"]);
  const expired = await portal.issue("--type", "time-limited", "--valid-until", "2020-01-31");
  const later = await portal.issue("--start", "2999-01-01");
  const blocked = await portal.issue();
  const computer = computerId();
  await portal.cli(["device", "block", blocked, computer]);
  // Well-formed, and nobody's.
  const unknown = "NO-SUCH-KEY-HERE-2026";
  for (const [key, code] of [[disabled, "license_disabled"], [expired, "license_expired"], [later, "not_started"], [blocked, "device_blocked"], [unknown, "unknown_key"]] as const) {
    await ask(page, portal, awake, key, computer);
    await expect(page.getByText("Not activated")).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).not.toBeEmpty();
    expect(await refusal(portal, page), code).toContain(code);
  }
});

test("a machine's hostile name is text on every page", async ({ page, portal, awake, asOwner }) => {
  const key = await portal.issue("--seats", "1");
  const name = `=cmd|' /C calc'!A0<img src=x onerror=alert(1)>`;
  page.on("dialog", () => expect(false, "a script of the name ran").toBe(true));
  await ask(page, portal, awake, key, computerId(), { name });
  await expect(page.getByRole("heading", { level: 1 })).toContainText(name);
  await asOwner();
  await page.goto(`/vendor/licenses?q=${encodeURIComponent(key)}`);
  await page.getByRole("link", { name: key.split("-").at(-1)! }).first().click();
  await expect(page.getByText(name).first()).toBeVisible();
  expect(await page.locator("img[src=x]").count()).toBe(0);
});
