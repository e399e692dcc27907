// One's own account, and what belongs to people: the password, the sessions, licenses of users.

import { cookieOf } from "../support/seed.ts";
import { carry, expect, test, type TestPortal } from "../support/test.ts";

let counter = 0;
/** A member of the team whom no other test knows. */
async function member(portal: TestPortal) {
  const who = { email: `own-${test.info().project.name}-${process.pid}-${counter++}@vendor.example`, password: "seven unlike green words" };
  await portal.cli(["user", "add", who.email, "--role", "support"], who.password);
  return who;
}

test("one changes one's password and signs in with the new one", async ({ page, portal, context, signIn, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, "/vendor/account/password");
  const who = await member(portal);
  const elsewhere = await cookieOf(portal, who);
  await signIn(who);
  await page.locator("summary").filter({ hasText: "Your account" }).click();
  await page.getByRole("link", { name: "Your password" }).click();
  await expect(page.getByText("You are signed in at one other place.")).toBeVisible();
  await expectFits();
  await page.getByLabel("Present password").fill("not this one at all");
  await page.getByLabel("New password").fill("six other unlike words");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByRole("alert")).toContainText("This is not your present password");
  await expect(page.getByLabel("New password")).toHaveValue("");
  await expectAccessible();
  await page.getByLabel("Present password").fill(who.password);
  await page.getByLabel("New password").fill("six other unlike words");
  await page.getByRole("button", { name: "Change the password" }).click();

  await expect(page).toHaveURL(/\/vendor\/sign-in/);
  await expect(page.getByText("Your password is changed. Sign in with the new one.")).toBeVisible();
  await expectAccessible();
  await expect(cookieOf(portal, who)).rejects.toThrow("422");
  expect((await fetch(`${portal.url}/vendor`, { headers: { cookie: elsewhere }, redirect: "manual" })).status).toBe(303);
  await signIn({ ...who, password: "six other unlike words" });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Home");
  expect((await context.cookies()).length).toBe(1);
});

test("one signs out everywhere at once", async ({ page, portal, context }) => {
  const who = await member(portal);
  const sessions = [await cookieOf(portal, who), await cookieOf(portal, who), await cookieOf(portal, who)];
  await carry(context, sessions[0]!);
  await page.goto("/vendor/account");
  await expect(page.getByText("You are signed in at 2 other places.")).toBeVisible();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("You are signed out everywhere.")).toBeVisible();
  for (const cookie of sessions) {
    expect((await fetch(`${portal.url}/vendor`, { headers: { cookie }, redirect: "manual" })).status).toBe(303);
  }
});

test("a product for users is issued to users, whose first passwords are shown once", async ({ page, portal, asOwner, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, "/vendor/licenses/new");
  await asOwner();
  const product = `USERS${process.pid}X${counter++}${test.info().project.name.replace("-", "").toUpperCase()}`;
  await page.goto("/vendor/products/new");
  await page.getByLabel("Name").fill(`Users ${product}`);
  await page.getByLabel("Code").fill(product);
  await page.getByLabel("Users", { exact: true }).check();
  await page.getByRole("button", { name: "Add the product" }).click();
  await page.getByRole("link", { name: "Issue a license" }).click();
  await page.getByLabel("Users").fill("ann@customer.example\nno-address-at-all");
  await page.getByRole("button", { name: "Issue", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Line 2 is not a whole e-mail address");
  await expect(page.getByLabel("Users")).toHaveValue("ann@customer.example\nno-address-at-all");
  await expectAccessible();
  await page.getByLabel("Users").fill("ann@customer.example\nbob@customer.example");
  await page.getByRole("button", { name: "Issue", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Issued");
  const rows = page.getByRole("row").filter({ hasText: "@customer.example" });
  await expect(rows).toHaveCount(2);
  for (const row of await rows.all()) portal.secret((await row.locator(".mono").innerText()).trim());
  await expectFits();
  await expectAccessible();
  await page.getByRole("link", { name: /^license \d+$/ }).click();
  const main = page.getByRole("main");
  await expect(main.getByText("ann@customer.example")).toBeVisible();
  await expect(main.getByText("still the first password")).toHaveCount(2);
});
