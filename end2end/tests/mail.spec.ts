import { createHmac } from "node:crypto";
import { expect, test, type TestPortal } from "../support/test.ts";

let counter = 0;
/** A word that no other test of the suite has. */
const word = () => `${test.info().project.name.replace("-", "")}${process.pid}m${counter++}`;

/** What the last letter to an address says, as staff reads it where no mail server is set. */
async function letter(portal: TestPortal, to: string): Promise<string> {
  const list = await (await portal.staff(`/vendor/mail?q=${encodeURIComponent(to)}`)).text();
  const link = /href="(\/vendor\/mail\/[\w-]{43})"/.exec(list)?.[1];
  expect(link, `a letter to ${to}`).toBeDefined();
  portal.secret(link!.split("/").pop()!);
  return (await portal.staff(link!)).text();
}

test("a computer is activated by a code from the customer's mail, with the keyboard alone", async ({ page, portal, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, "/activate/code/confirm");
  const email = `${word()}@customer.example`;
  portal.secret(email);
  await portal.issue("--seats", "1", "--customer", email);
  await page.goto("/activate");
  await page.getByRole("link", { name: "Activate with your e-mail address" }).click();
  const form = page.getByRole("main");
  await form.getByLabel("E-mail address").fill(email);
  const product = form.getByLabel("Product");
  if ((await product.count()) > 0) await product.selectOption({ label: "Press Designer 4" });
  const computer = `HW-${word()}`;
  await form.getByLabel("Computer id").fill(computer);
  await form.getByLabel("Computer id").press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Type the code");
  await expectFits();
  await expectAccessible();
  const code = /Your code is (\d{6})/.exec(await letter(portal, email))![1]!;
  portal.secret(code);
  const wrong = code === "000000" ? "000001" : "000000";
  await form.getByLabel("Code from the mail").fill(wrong);
  await form.getByLabel("Code from the mail").press("Enter");
  await expect(form.getByText("This code does not count").first()).toBeVisible();
  await expectAccessible();
  await form.getByLabel("Code from the mail").fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await form.getByLabel("Code from the mail").press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("is ready on this computer");
  portal.secret(page.url().split("/").pop()!);
  await expect(form.getByText(computer).first()).toBeVisible();
});

test("a lost key goes to its customer's mail and to no page", async ({ page, portal, expectAccessible, expectFits }) => {
  const email = `${word()}@customer.example`;
  portal.secret(email);
  const key = await portal.issue("--customer", email);
  portal.secret(key);
  await page.goto("/");
  await page.getByText("The activation key is lost").click();
  await page.getByRole("link", { name: "Have it sent again" }).click();
  const form = page.getByRole("main");
  await form.getByLabel("E-mail address").fill(email);
  await form.getByRole("button", { name: "Send me my keys" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Look into your mail");
  await expect(form).not.toContainText(key);
  await expectFits();
  await expectAccessible();
  expect(await letter(portal, email)).toContain(key);
});

test("a shop is added, its payload tried out, and what it tells waits until its product is mapped", async ({ page, portal, asOwner, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, /\/vendor\/shops\/.*\/map/);
  const name = `shop${word()}`;
  const shared = `a shared key of ${name}`;
  const email = `${word()}@customer.example`;
  portal.secret(shared, email);
  await asOwner();
  await page.goto("/vendor/settings");
  await page.getByRole("link", { name: "Shops" }).click();
  const main = page.getByRole("main");
  const add = main.locator("section").filter({ has: page.getByRole("heading", { name: "Add a shop" }) });
  await add.getByLabel("Name", { exact: true }).fill(name);
  await add.getByLabel("Kind").selectOption("lemonsqueezy");
  await add.getByLabel(/Shared key/).fill(shared);
  await add.getByRole("button", { name: "Add the shop" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(main.getByText("a signature of its webhooks")).toBeVisible();
  const order = {
    meta: { event_name: "order_created" },
    data: { id: name, attributes: { status: "paid", user_email: email, user_name: "Ann", updated_at: "1", first_order_item: { product_id: name, quantity: 2 } } },
  };
  await main.getByLabel(/A payload to try/).fill(JSON.stringify(order));
  await main.getByRole("button", { name: "Try it out" }).click();
  await expect(main.getByText(`Add a property for it: lemonsqueezy_${name}`)).toBeVisible();
  await expectFits();
  await expectAccessible();
  await main.getByLabel(/Map/).fill("{");
  await main.getByRole("button", { name: "Save the map" }).click();
  await expect(main.getByText("This is no map").first()).toBeVisible();

  const body = JSON.stringify(order);
  const tell = async (key: string) => {
    const signature = createHmac("sha256", key).update(body).digest("hex");
    return fetch(`${portal.url}/qlm/qlmservice.asmx/QlmWebHookHandler?is_vendor=${name}`, { method: "POST", body, headers: { "x-signature": signature } });
  };
  expect((await tell("another key")).status).toBe(401);
  expect((await tell(shared)).status).toBe(200);
  await page.goto("/vendor/shops");
  await main.getByRole("link", { name: "See what stood in the way" }).click();
  await main.getByRole("row").filter({ hasText: name }).getByRole("link").first().click();
  await expect(main.getByText("waits for you")).toBeVisible();
  await expectFits();
  await expectAccessible();
  const event = page.url();
  await page.goto("/vendor/shops");
  const map = main.locator("section").filter({ has: page.getByRole("heading", { name: "Map a product" }) });
  await map.getByLabel("Name at the shop").fill(`lemonsqueezy_${name}`);
  await map.getByLabel("What it is here").fill("is_productid=4&is_majorversion=4&is_minorversion=0");
  await map.getByRole("button", { name: "Keep the property" }).click();
  await expect(main.getByText(`lemonsqueezy_${name}`, { exact: true })).toBeVisible();
  await page.goto(event);
  await main.getByRole("button", { name: "Act on it again" }).click();
  await expect(main.getByText("One license issued.")).toBeVisible();
  await main.getByRole("link", { name, exact: true }).last().click();
  await expect(main.getByText(email).first()).toBeVisible();
  expect(await letter(portal, email)).toContain("Your license of Press Designer 4 is ready.");
});

test("a letter is written in the vendor's words, refused while it says no key, and taken back", async ({ page, asOwner, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, "/vendor/mail/templates");
  await asOwner();
  await page.goto("/vendor/mail");
  await page.getByRole("link", { name: "Templates" }).click();
  const main = page.getByRole("main");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mail templates");
  await expectFits();
  await expectAccessible();
  const name = `T${word()}`;
  await main.getByLabel("Name").fill(name);
  await main.getByLabel("Subject").fill("Your %ProductName%");
  await main.getByLabel("Text").fill("Thank you, %FullName%.");
  await main.getByLabel("Subject").press("Enter");
  await expect(main.getByText("says no %ActivationKey%").first()).toBeVisible();
  await expect(main.getByLabel("Text")).toHaveValue("Thank you, %FullName%.");
  await expectAccessible();
  await main.getByLabel("Text").fill("Thank you, %FullName%.\n\n%ActivationKey%");
  await main.getByRole("button", { name: "Save" }).click();
  const row = main.getByRole("row").filter({ hasText: name });
  await expect(row).toContainText("with orders that name it");
  await row.getByRole("link", { name }).click();
  await expect(main.getByLabel("Text")).toHaveValue("Thank you, %FullName%.\n\n%ActivationKey%");
  const remove = row.getByRole("button", { name: "Remove…" }).or(row.getByRole("link", { name: "Remove…" }));
  await remove.click();
  const dialog = page.getByRole("dialog", { name: `Remove ${name}?` });
  await expect(dialog).toBeVisible();
  await expectAccessible();
  await dialog.getByRole("button", { name: "Remove it" }).click();
  await expect(main.getByRole("row").filter({ hasText: name })).toHaveCount(0);
});
