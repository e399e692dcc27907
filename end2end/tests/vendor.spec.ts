import { createHmac } from "node:crypto";
import fs from "node:fs";
import { computerId } from "../support/sample.ts";
import { cookieOf } from "../support/seed.ts";
import { carry, expect, test, type TestPortal } from "../support/test.ts";
import type { Locator, Page } from "@playwright/test";

let counter = 0;
/** A word that no other test of the suite has. */
const word = () => `${test.info().project.name.replace("-", "")}${process.pid}x${counter++}`;

const main = (page: Page) => page.getByRole("main");
const said = (page: Page, words: string | RegExp) => expect(main(page).getByText(words).first()).toBeVisible();

/** One activation, as a customer makes it. */
async function activate(portal: TestPortal, key: string, device: string, name: string): Promise<string> {
  const form = new URLSearchParams({ key, device_id: device, device_name: name, email: "", request_id: `one-request-of-a-test-${counter++}-${device}` });
  const answer = await fetch(`${portal.url}/activate`, { method: "POST", redirect: "manual", body: form });
  expect(answer.status).toBe(303);
  const result = answer.headers.get("location")!;
  portal.secret(result.split("/").pop()!);
  return result;
}

async function openLicense(page: Page, key: string) {
  await page.goto(`/vendor/licenses?q=${encodeURIComponent(key)}`);
  await page.getByRole("link", { name: key }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(key);
}

/** Opens the question behind a button and returns it. Without a script the button is a link. */
async function question(page: Page, button: string, title: string | RegExp): Promise<Locator> {
  await page.getByRole("button", { name: button }).or(page.getByRole("link", { name: button })).click();
  const dialog = page.getByRole("dialog", { name: title });
  await expect(dialog).toBeVisible();
  return dialog;
}

test.describe("signing in", () => {
  test("leads to the page that was asked for, and signing out ends it", async ({ page, sample, expectAccessible, expectFits }) => {
    await page.goto("/vendor/licenses?state=disabled");
    await expect(page).toHaveURL(/\/vendor\/sign-in\?next=/);
    await expectFits();
    await expectAccessible();
    await page.getByLabel("E-mail address").fill(sample.owner.email);
    await page.getByLabel("Password").fill(sample.owner.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL("/vendor/licenses?state=disabled");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: "__Host-countersign", httpOnly: true, secure: true, sameSite: "Lax" });

    await page.locator("summary").filter({ hasText: "Your account" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(/\/vendor\/sign-in/);
    await page.goto("/vendor");
    await expect(page).toHaveURL(/\/vendor\/sign-in/);
    // The session is gone for whoever kept its cookie, too.
    const kept = await fetch(new URL("/vendor", page.url()), { headers: { cookie: `${cookie!.name}=${cookie!.value}` }, redirect: "manual" });
    expect(kept.status).toBe(303);
  });

  test("with a wrong password keeps the address and tells nothing about it", async ({ page, sample, expectStatus, expectAccessible }) => {
    expectStatus(422, "/vendor/sign-in");
    const words: string[] = [];
    for (const email of [sample.owner.email, "nobody@vendor.example"]) {
      await page.goto("/vendor/sign-in");
      await page.getByLabel("E-mail address").fill(email);
      await page.getByLabel("Password").fill("not the right password");
      await page.getByRole("button", { name: "Sign in" }).click();
      words.push(await page.getByRole("alert").innerText());
      await expect(page.getByLabel("E-mail address")).toHaveValue(email);
      await expect(page.getByLabel("Password")).toHaveValue("");
    }
    expect(words[0]).toContain("do not match");
    expect(words[1]).toBe(words[0]);
    await expectAccessible();
  });

  test("never leads to another site", async ({ page, sample }) => {
    await page.goto("/vendor/sign-in?next=https%3A%2F%2Fevil.example%2Fvendor");
    await page.getByLabel("E-mail address").fill(sample.owner.email);
    await page.getByLabel("Password").fill(sample.owner.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL("/vendor");
  });
});

test("a license is issued, found by everything a customer can read out, and its message tells them what to do", async ({ page, portal, asOwner, expectStatus, expectFits }) => {
  expectStatus(422, "/vendor/licenses/new");
  await asOwner();
  const reference = word();
  const email = `${reference}@customer.example`;
  await page.goto("/vendor/licenses/new?product=PRESS4");
  // What stands in the way is said beside its field, and nothing typed is lost.
  await page.getByLabel("Subscription").check();
  await page.getByLabel("Seats", { exact: true }).fill("3");
  await page.getByLabel("Customer’s e-mail address").fill(email);
  await page.getByLabel("Order reference").fill(reference);
  await page.getByRole("button", { name: "Issue", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("This type ends some day");
  await expect(page.getByLabel("Seats", { exact: true })).toHaveValue("3");
  await page.getByLabel("Good through").fill("2999-12-31");
  await page.getByRole("button", { name: "Issue", exact: true }).click();

  await expect(page).toHaveURL(/\/vendor\/licenses\/\d+\?said=issued/);
  const key = (await page.getByRole("heading", { level: 1 }).innerText()).trim();
  portal.secret(key);
  expect(key).toMatch(/^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}$/);
  await expectFits();
  await said(page, "Yes, it can be activated now");
  await said(page, /3 seats are free, it is good through 31 Dec 2999/);
  const device = computerId();
  await activate(portal, key, device, "press-1");

  for (const search of [key, key.toLowerCase().replaceAll("-", ""), email, reference, device]) {
    await page.goto("/vendor/licenses");
    await page.getByRole("search", { name: "This list" }).getByRole("searchbox").fill(search);
    await page.getByRole("button", { name: "Search" }).click();
    await expect(page.getByRole("link", { name: key }), search).toBeVisible();
    await expect(page.getByRole("row"), search).toHaveCount(2);
  }
  await page.getByRole("link", { name: key }).click();
  await page.getByRole("link", { name: "Message" }).click();
  await expect(page.locator("#message")).toContainText(key);
  await expect(page.locator("#message")).toContainText(`${portal.url}/activate`);
});

test("several licenses of one order stand on the order's page", async ({ page, portal, asOwner, expectFits }) => {
  await asOwner();
  const reference = word();
  await page.goto("/vendor/licenses/new?product=PRESS4");
  await page.getByLabel("Licenses", { exact: true }).fill("3");
  await page.getByLabel("Order reference").fill(reference);
  await page.getByRole("button", { name: "Issue", exact: true }).click();
  await expect(page).toHaveURL(/\/vendor\/orders\/\d+/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Order ${reference}`);
  const keys = (await page.locator("#keys").innerText()).trim().split("\n");
  portal.secret(...keys);
  expect(new Set(keys).size).toBe(3);
  for (const key of keys) await expect(page.getByRole("link", { name: key })).toBeVisible();
  await expectFits();
  const csv = await portal.staff(`${new URL(page.url()).pathname}/licenses.csv`);
  expect((await csv.text()).trim().split(/\r?\n/)).toHaveLength(4);

  await page.goto("/vendor/orders");
  await page.getByRole("search", { name: "This list" }).getByRole("searchbox").fill(reference);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: reference }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(reference);
});

test("a license is edited, renewed, disabled with a reason, and enabled again, and its history tells it", async ({ page, portal, asOwner, expectStatus }) => {
  expectStatus(422, /\/vendor\/licenses\/\d+\/edit/);
  expectStatus(422, /\/vendor\/licenses\/\d+\/disable/);
  expectStatus(422, /\/vendor\/licenses\/\d+\/renew/);
  await asOwner();
  const key = await portal.issue("--type", "time-limited", "--valid-until", "2020-01-31", "--seats", "2");
  await openLicense(page, key);
  await said(page, "No, it cannot be activated now");
  await said(page, "This license has expired. It was good through 31 Jan 2020.");

  const past = await question(page, "Renew…", "Renew this license");
  await past.getByLabel("Good through").fill("2021-03-12");
  await past.getByRole("button", { name: "Renew" }).click();
  const renew = page.getByRole("dialog", { name: "Renew this license" });
  await expect(renew.getByRole("alert")).toContainText("This day is past.");
  await renew.getByLabel("Good through").fill("2998-03-12");
  await renew.getByLabel("New versions until").fill("2997-01-31");
  await renew.getByRole("button", { name: "Renew" }).click();
  await said(page, /^Renewed\./);
  await said(page, "Yes, it can be activated now");
  await said(page, "31 Jan 2997");

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Seats", { exact: true }).fill("many");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("Type a number");
  await expect(page.getByLabel("Seats", { exact: true })).toHaveValue("many");
  await page.getByLabel("Seats", { exact: true }).fill("unlimited");
  await page.getByLabel("Note").fill("as agreed on the phone");
  await page.locator("form[action$='/edit']").getByLabel("New versions until").fill("2996-06-30");
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved.");
  await said(page, "30 Jun 2996");
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats: null });

  await page.getByRole("link", { name: /^Machines/ }).click();
  const disable = await question(page, "Disable…", "Disable this license");
  await disable.getByLabel("Reason").fill("   ");
  await disable.getByRole("button", { name: "Disable" }).click();
  // The question is still there, and says what it needs.
  const again = page.getByRole("dialog", { name: "Disable this license" });
  await expect(again.getByRole("alert")).toContainText("Say in a few words why");
  await again.getByLabel("Reason").fill("paid back");
  await again.getByRole("button", { name: "Disable" }).click();
  await said(page, /^Disabled\./);
  await said(page, "paid back");
  await page.getByRole("button", { name: "Enable it again" }).click();
  await said(page, "Enabled again.");

  await page.getByRole("link", { name: "History" }).click();
  const history = main(page).getByRole("listitem");
  for (const act of ["issued the license", "renewed the license", "edited the license", "disabled the license", "enabled the license"]) {
    await expect(history.filter({ hasText: act }), act).toHaveCount(1);
  }
  await expect(history.filter({ hasText: "disabled the license" })).toContainText("paid back");
  await expect(history.filter({ hasText: "edited the license" })).toContainText("seats: 2 → unlimited");
  await expect(history.filter({ hasText: "edited the license" })).toContainText("until 31 Jan 2997 → until 30 Jun 2996");
});

test("a machine is freed, revoked and allowed again, and its file can be had once more", async ({ page, portal, asOwner, expectStatus, expectFits }) => {
  expectStatus(422, /\/machines\/\d+\/revoke/);
  await asOwner();
  const key = await portal.issue("--seats", "1");
  const device = computerId();
  await activate(portal, key, device, "press-7");
  await openLicense(page, key);
  await expectFits();
  const machine = page.getByRole("list", { name: "Machines" }).getByRole("listitem").filter({ hasText: device });
  await expect(machine).toContainText("active");
  const [download] = await Promise.all([page.waitForEvent("download"), machine.getByRole("button", { name: "License file" }).click()]);
  const file = fs.readFileSync(await download.path(), "utf8");
  expect(JSON.stringify(await portal.claims(file))).toContain(device);

  const why = await question(page, "Free…", "Free press-7?");
  await why.getByLabel("Reason").fill("  ");
  await why.getByRole("button", { name: "Revoke and bar it" }).click();
  const revoke = page.getByRole("dialog", { name: "Free press-7?" });
  await expect(revoke.getByRole("alert")).toContainText("Say in a few words why");
  await revoke.getByLabel("Reason").fill("stolen");
  await revoke.getByRole("button", { name: "Revoke and bar it" }).click();
  await said(page, "The seat is taken back and the machine is barred.");
  await expect(machine).toContainText("revoked");
  await expect(machine).toContainText("stolen");
  const form = new URLSearchParams({ key, device_id: device });
  expect((await fetch(`${portal.url}/activate`, { method: "POST", redirect: "manual", body: form })).status).toBe(409);

  await machine.getByRole("button", { name: "Allow it again" }).click();
  await said(page, "The machine may activate again.");
  await activate(portal, key, device, "press-7");
  await page.reload();
  const free = await question(page, "Free…", "Free press-7?");
  await free.getByRole("button", { name: "Free this machine" }).click();
  await said(page, "The machine is free, and so is its seat.");
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 0 });
});

test("the list of licenses is filtered, sorted and turned, and its address says how", async ({ page, portal, asOwner, viewport }) => {
  test.setTimeout(60_000);
  await asOwner();
  const product = word().toUpperCase();
  await portal.cli(["product", "add", product, "--name", `Paper ${product}`]);
  const made = await portal.cli(["license", "issue", "--product", product, "--seats", "7", "--quantity", "51", "--separate-keys", "--order", product]);
  expect(made.licenses).toHaveLength(51);
  const keys = [await portal.issue("--product", product, "--seats", "3"), await portal.issue("--product", product, "--seats", "5", "--valid-until", "2020-01-31", "--type", "time-limited")];
  await activate(portal, keys[0]!, computerId(), "press-1");
  await portal.cli(["license", "disable", keys[0]!, "--reason", "test"]);

  await page.goto(`/vendor/licenses?product=${product}`);
  const rows = page.getByRole("row");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Licenses 53");
  await expect(rows).toHaveCount(51);
  await page.getByRole("link", { name: "Next", exact: true }).click();
  await expect(rows).toHaveCount(4);
  await expect(page.getByText("3 of 53")).toBeVisible();
  await page.getByRole("link", { name: "Previous", exact: true }).click();
  await expect(rows).toHaveCount(51);
  await expect(page).toHaveURL(/before=/);
  await expect(page.getByRole("link", { name: "Previous", exact: true })).toHaveCount(0);

  await page.getByRole("link", { name: "Seats" }).click();
  await expect(page).toHaveURL(/sort=seats/);
  await expect(page.getByRole("columnheader", { name: "Seats" })).toHaveAttribute("aria-sort", "ascending");
  await expect(rows.nth(1)).toContainText("0/");
  await page.getByRole("link", { name: "Seats" }).click();
  await expect(page.getByRole("columnheader", { name: "Seats" })).toHaveAttribute("aria-sort", "descending");
  await expect(rows.nth(1)).toContainText("1/3");

  const states = page.getByRole("list", { name: "State" });
  await states.getByRole("link", { name: "disabled" }).click();
  await expect(page).toHaveURL(/state=disabled/);
  await expect(rows).toHaveCount(2);
  await expect(page.getByRole("link", { name: keys[0]! })).toBeVisible();
  await states.getByRole("link", { name: "expired" }).click();
  await expect(page.getByRole("link", { name: keys[1]! })).toBeVisible();
  await expect(rows).toHaveCount(2);
  // The same list as a file.
  const href = await page.getByRole("link", { name: "Export CSV" }).getAttribute("href");
  const csv = (await (await portal.staff(href!)).text()).trim().split(/\r?\n/);
  expect(csv).toHaveLength(2);
  expect(csv[1]).toContain(keys[1]!);
  // Facts that a phone has no room for are not columns there.
  if (viewport!.width < 500) await expect(page.getByRole("columnheader", { name: "Last seen" })).toBeHidden();
  await page.getByRole("search", { name: "This list" }).getByRole("searchbox").fill("nobody-has-this");
  await page.getByRole("button", { name: "Search" }).click();
  await said(page, "No license matches");
});

test("an app gets its keys once, and is refused when they are revoked", async ({ page, portal, asOwner, javaScriptEnabled, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, "/vendor/apps/keys");
  await asOwner();
  await page.goto("/vendor/apps");
  const add = main(page).locator("form[action='/vendor/apps/keys']");
  await add.getByLabel("Name").fill("  ");
  await add.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("alert")).toContainText("A name has 1 to 128 characters");
  const name = `Reader ${word()}`;
  await add.getByLabel("Name").fill(name);
  await add.getByLabel("May only read").check();
  await add.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("API key added");
  await expectFits();
  await expectAccessible();
  const [apiKey, sharedKey] = await page.locator("dd .mono").allInnerTexts();
  portal.secret(sharedKey!);
  expect(sharedKey).toMatch(/^[A-Za-z0-9]{40}$/);
  const call = async (method: string, path: string) => {
    const date = new Date().toUTCString();
    const signature = createHmac("sha256", sharedKey!).update(`licenseSpring\ndate: ${date}`).digest("base64");
    const authorization = `algorithm="hmac-sha256",headers="date",signature="${signature}",apiKey="${apiKey}"`;
    const answer = await fetch(`${portal.url}/api/v4${path}`, { method, headers: { date, authorization }, ...(method === "POST" ? { body: JSON.stringify({ product: "PRESS4", hardware_id: "HW-1", license_key: "X-1" }) } : {}) });
    return (await answer.json()) as { code?: string; short_code?: string };
  };
  expect((await call("GET", "/product_details?product=PRESS4")).short_code).toBe("PRESS4");
  expect((await call("POST", "/activate_license")).code).toBe("read_only_api_key");

  await page.getByRole("link", { name: "Back to the apps" }).click();
  const row = page.getByRole("list", { name: "API keys" }).getByRole("listitem").filter({ hasText: name });
  await expect(row).toContainText("reads only");
  await expect(page.locator("body")).not.toContainText(sharedKey!);
  const opener = row.getByRole(javaScriptEnabled ? "button" : "link", { name: "Revoke…" });
  await opener.click();
  const dialog = page.getByRole("dialog", { name: `Revoke ${name}?` });
  await expectFits();
  await dialog.getByRole("button", { name: "Revoke it" }).click();
  await said(page, "Revoked. Whoever shows them is refused from now on.");
  await expect(row).toContainText("revoked");
  expect((await call("GET", "/product_details?product=PRESS4")).code).toBe("revoked_api_key");

  const client = main(page).locator("form[action='/vendor/apps/clients']");
  const server = `Server ${word()}`;
  await client.getByLabel("Name").fill(server);
  await client.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("OAuth client added");
  const [clientId, secret] = await page.locator("dd .mono").allInnerTexts();
  portal.secret(secret!);
  const token = async (secret: string) => {
    const body = new URLSearchParams({ grant_type: "client_credentials", client_id: clientId!, client_secret: secret });
    const answer = await fetch(`${portal.url}/api/v4/oauth_token`, { method: "POST", body });
    if (answer.status === 200) portal.secret(((await answer.json()) as { access_token: string }).access_token);
    return answer.status;
  };
  expect(await token(secret!)).toBe(200);
  await page.goto("/vendor/apps");
  await page.getByRole("list", { name: "OAuth clients" }).getByRole("listitem").filter({ hasText: server }).getByRole(javaScriptEnabled ? "button" : "link", { name: "New secret…" }).click();
  await page.getByRole("dialog", { name: `A new secret for ${server}?` }).getByRole("button", { name: "Make a new secret" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("New secret");
  const second = (await page.locator("dd .mono").allInnerTexts())[1]!;
  portal.secret(second);
  // The one before lasts until the new one is in place.
  expect([await token(secret!), await token(second), await token("neither of them")]).toEqual([200, 200, 401]);
});

test("a product is added, gets versions and features, and can be paused", async ({ page, portal, asOwner, expectStatus, expectFits }) => {
  expectStatus(409, "/vendor/products/new");
  await asOwner();
  const code = word().toUpperCase();
  await page.goto("/vendor/products/new");
  await page.getByLabel("Name").fill(`Paper ${code}`);
  await page.getByLabel("Code").fill("PRESS4");
  await page.getByRole("button", { name: "Add the product" }).click();
  await expect(page.getByRole("alert")).toContainText("taken");
  await expect(page.getByLabel("Name")).toHaveValue(`Paper ${code}`);
  await page.getByLabel("Code").fill(code);
  await page.getByRole("button", { name: "Add the product" }).click();
  await expect(page).toHaveURL(new RegExp(`/vendor/products/${code}`));
  await expectFits();

  await page.getByLabel("Version", { exact: true }).fill("2.1");
  await page.getByLabel("Released on").fill("2026-03-01");
  await page.getByRole("button", { name: "Add the version" }).click();
  await expect(page.getByRole("row").filter({ hasText: "2.1" })).toContainText("1 Mar 2026");
  await page.getByRole("link", { name: /^Features/ }).click();
  await page.getByLabel("Name").fill("Colour proof");
  await page.getByLabel("Code").fill("proof");
  await page.getByRole("button", { name: "Add the feature" }).click();
  await expect(page.getByRole("row").filter({ hasText: "Colour proof" })).toContainText("on or off");

  await page.getByRole("link", { name: "Rules" }).click();
  await page.getByLabel("Name", { exact: true }).fill(`Paper ${code}, second edition`);
  await page.getByRole("button", { name: "Save the rules" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Paper ${code}, second edition`);
  await page.getByRole("link", { name: "Rules" }).click();
  await page.getByRole("button", { name: "Pause activations" }).click();
  await said(page, /Activations are paused/);
  const key = await portal.issue("--product", code);
  const form = new URLSearchParams({ key, device_id: computerId() });
  const refused = await fetch(`${portal.url}/activate`, { method: "POST", redirect: "manual", body: form });
  expect(refused.status).toBe(409);
  expect(await refused.text()).toContain("This product cannot be activated at the moment");
  await page.getByRole("link", { name: "Rules" }).click();
  await page.getByRole("button", { name: "Resume activations" }).click();
  await said(page, "Activations go on.");

  // What it was before stands on the product's page and in the log.
  await page.getByRole("link", { name: "History" }).click();
  const renamed = `Paper ${code} → Paper ${code}, second edition`;
  await expect(main(page).getByRole("listitem").filter({ hasText: renamed })).toContainText("edited the product");
  await expect(main(page).getByRole("listitem").filter({ hasText: "enabled → disabled" })).toHaveCount(1);
  await page.goto("/vendor/audit?kind=product");
  const entry = main(page).getByRole("listitem").filter({ hasText: renamed });
  await expect(entry).toContainText(`edited the product Paper ${code}, second edition`);
  await entry.getByRole("link", { name: `Paper ${code}` }).click();
  await expect(page).toHaveURL(`/vendor/products/${code}`);
});

test("a policy for machines that are never connected is added, has a file for the app, and licenses of it that are not edited", async ({ page, portal, asOwner, expectAccessible, expectFits }) => {
  const code = `island-${word().toLowerCase()}`;
  await asOwner();
  await page.goto("/vendor/products/PRESS4?tab=policies");
  await page.getByLabel("Name").fill("Machines in the mine");
  await page.getByLabel("Code").fill(code);
  await page.getByLabel("Seats").fill("2");
  await page.getByLabel("Last day").fill("2031-12-31");
  await page.getByLabel("For machines that are never connected").check();
  await page.getByRole("button", { name: "Add the policy" }).click();
  await said(page, "Added.");
  await expectFits();
  await expectAccessible();
  const row = page.getByRole("row").filter({ hasText: code });
  await expect(row).toContainText("air-gapped, number");
  const download = page.waitForEvent("download");
  await row.getByRole("link", { name: `Policy file ${code}.lic` }).click();
  expect((await download).suggestedFilename()).toBe(`${code}.lic`);
  const policy = JSON.parse(Buffer.from(fs.readFileSync(await (await download).path(), "utf8"), "base64").toString());
  expect(policy).toMatchObject({ code, product: "PRESS4", default_license_type: "time-limited", is_air_gapped: true });

  await row.getByRole("button", { name: "Issue one" }).click();
  await said(page, /^Issued\./);
  await expect(main(page)).toContainText("codes activate it");
  await expect(page.getByRole("link", { name: "Edit" })).toHaveCount(0);
  await expect(page.getByText("Renew…")).toHaveCount(0);
  await expectFits();
  await expectAccessible();
  const key = (await page.getByRole("heading", { level: 1 }).innerText()).trim();
  const given = (await portal.cli(["airgap", "begin", key])) as { policy_id: number; initialization_code: string };
  expect(given.policy_id).toBe(policy.id);
  portal.secret(given.initialization_code);
  // No other door lets it in.
  const form = new URLSearchParams({ key, device_id: computerId() });
  const refused = await fetch(`${portal.url}/activate`, { method: "POST", redirect: "manual", body: form });
  expect(await refused.text()).toContain("This license is activated by codes");
});

test("staff are added, see only what their role includes, change role and password, and are shut out", async ({ page, portal, asOwner, browser, viewport, javaScriptEnabled, expectStatus, expectAccessible, expectFits }) => {
  test.setTimeout(60_000);
  expectStatus(422, "/vendor/team");
  expectStatus(403, "/vendor/licenses/new?product=PRESS4");
  expectStatus(403, "/vendor/settings");
  await asOwner();
  const member = { email: `${word()}@vendor.example`, password: "seven unlike green words" };
  await page.goto("/vendor/team");
  await page.getByLabel("E-mail address").fill(member.email);
  await page.getByLabel("First password").fill("short");
  await page.getByRole("combobox", { name: "Role" }).selectOption("viewer");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("12");
  await page.getByLabel("First password").fill(member.password);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("link", { name: member.email })).toBeVisible();

  const theirs = await browser.newContext({ viewport, javaScriptEnabled, baseURL: portal.url });
  await carry(theirs, await cookieOf(portal, member));
  const other = await theirs.newPage();
  await other.goto("/vendor/licenses");
  await expect(other.getByRole("heading", { level: 1 })).toContainText("Licenses");
  await expect(other.getByRole("link", { name: "Issue a license" })).toHaveCount(0);
  expect((await other.goto("/vendor/licenses/new?product=PRESS4"))!.status()).toBe(403);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Your role does not include this");
  await expectFits(other);
  if (javaScriptEnabled) await expectAccessible(other);
  // Nothing leads them there, and whoever knows the address stays among their own pages.
  const sections = other.getByRole("navigation", { name: "Sections" });
  await expect(sections.getByRole("link", { name: "Licenses" })).toBeVisible();
  await expect(sections.getByRole("link", { name: /Settings|Audit/ })).toHaveCount(0);
  expect((await other.goto("/vendor/settings"))!.status()).toBe(403);

  await page.getByRole("link", { name: member.email }).click();
  await page.getByRole("combobox", { name: "Role" }).selectOption("support");
  await page.getByRole("button", { name: "Change the role" }).click();
  await said(page, "Saved.");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await said(page, "Signed out everywhere.");
  await other.goto("/vendor");
  await expect(other).toHaveURL(/sign-in/);
  await page.getByLabel("New password").fill("a second set of words");
  await page.getByRole("button", { name: "Set the password" }).click();
  await said(page, /The password is changed|Saved\./);
  await cookieOf(portal, { ...member, password: "a second set of words" });
  const disable = await question(page, "Disable…", `Disable ${member.email}?`);
  await disable.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByRole("button", { name: "Enable again" })).toBeVisible();
  await expect(cookieOf(portal, { ...member, password: "a second set of words" })).rejects.toThrow("422");
  await page.getByRole("button", { name: "Enable again" }).click();
  await said(page, "Saved.");
  await cookieOf(portal, { ...member, password: "a second set of words" });
  // What they were before stands on their page and in the log.
  const changed = (list: Locator) => list.filter({ hasText: "changed the role" });
  await expect(changed(main(page).getByRole("listitem"))).toContainText("role: viewer → support");
  await page.goto("/vendor/audit?kind=staff");
  const entry = changed(main(page).getByRole("listitem")).filter({ hasText: member.email });
  await expect(entry).toContainText("role: viewer → support");
  await entry.getByRole("link", { name: member.email }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(member.email);
  await theirs.close();
});

test("a refusal is found by the reference the customer reads out", async ({ page, portal, asOwner, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(409, "/activate");
  const key = await portal.issue();
  await portal.cli(["license", "disable", key, "--reason", "paid back"]);
  await page.goto("/activate");
  const device = computerId();
  await page.getByLabel("Activation key").fill(key);
  await page.getByLabel("Computer id").fill(device);
  await page.getByRole("button", { name: "Activate this computer" }).click();
  const reference = (await page.getByText(/^Reference/).locator("strong").innerText()).trim();

  await asOwner();
  await page.goto("/vendor/refusals");
  await expectFits();
  await page.getByRole("search", { name: "This list" }).getByRole("searchbox").fill(reference.toLowerCase());
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "This license is disabled" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This license is disabled");
  await expect(main(page)).toContainText(device);
  await expect(main(page)).toContainText("license_disabled");
  await expect(main(page)).toContainText("A new machine would still be refused");
  await expectFits();
  await expectAccessible();
  await page.getByRole("link", { name: key }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(key);
});

test("every act is in the audit log, with who did it", async ({ page, portal, sample, asOwner }) => {
  await asOwner();
  const key = await portal.issue();
  await openLicense(page, key);
  const { pathname } = new URL(page.url());
  const disable = await question(page, "Disable…", "Disable this license");
  await disable.getByLabel("Reason").fill("for the log");
  await disable.getByRole("button", { name: "Disable" }).click();
  await page.goto("/vendor/audit");
  await page.getByRole("list", { name: "About" }).getByRole("link", { name: "license" }).first().click();
  await expect(page).toHaveURL(/kind=license/);
  const entry = main(page).getByRole("listitem").filter({ hasText: "for the log" }).filter({ has: page.locator(`a[href="${pathname}"]`) });
  await expect(entry).toContainText(`${sample.owner.email} disabled the license …${key.split("-").pop()}`);
  await expect(entry).toContainText("state: enabled → disabled");
  await page.getByRole("link", { name: "Check the log" }).click();
  await said(page, "The log is whole");
  await expect(page.getByText("The log was changed after it was written")).toHaveCount(0);
  await page.goto("/vendor/audit?kind=license");
  await main(page).getByRole("listitem").filter({ hasText: "for the log" }).locator(`a[href="${pathname}"]`).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(key);
});

test("no cell of an export is a formula", async ({ page, portal, asOwner }) => {
  await asOwner();
  const name = `=cmd|' /C calc'!A${word()}`;
  const key = await portal.issue(`--order=-1+${word()}`, "--customer", `+${word()}@customer.example`);
  await activate(portal, key, `=HYPERLINK("${computerId()}")`, name);
  const refused = new URLSearchParams({ key: "+UNKNOWN-KEY", device_id: `@SUM(${word()})`, device_name: name });
  await fetch(`${portal.url}/activate`, { method: "POST", redirect: "manual", body: refused });
  portal.secret("+UNKNOWN-KEY");
  for (const list of ["licenses", "orders", "products", "refusals", "audit", "team"]) {
    await page.goto(`/vendor/${list}`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
    expect(download.suggestedFilename()).toBe(`${list}.csv`);
    const text = fs.readFileSync(await download.path(), "utf8");
    const cells = text.split(/\r?\n|,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((cell) => cell.replace(/^"/, ""));
    expect(cells.length, list).toBeGreaterThan(5);
    expect(cells.filter((cell) => /^[=+\-@\t]/.test(cell)), list).toEqual([]);
  }
});
