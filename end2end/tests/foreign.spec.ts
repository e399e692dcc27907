import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test, type TestPortal } from "../support/test.ts";

// Pages that links made for another system lead to. Each is walked as its customer walks it: from the link.

let counter = 0;
/** A word that no other test of the suite has. */
const word = () => `${test.info().project.name.replace("-", "")}${process.pid}f${counter++}`;

const SECRET = "the key that the apps were built with";

/** Lets apps give seats back by codes, and customers have trials; waits until the server has noticed. */
async function letApps(portal: TestPortal) {
  portal.secret(SECRET);
  await portal.cli(["setting", "set", "communicationEncryptionKey", "-"], SECRET);
  const switches = { enableReleaseKeyHttp: "true", releaseLicenseRequiresAuthentication: "false", enableTrialRegistration: "true" };
  for (const [name, value] of Object.entries(switches)) await portal.cli(["setting", "set", name, value]);
  await expect.poll(async () => (await fetch(`${portal.url}/trial`)).status).toBe(200);
}

test("an app's link ends in its license file", async ({ page, portal, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(409, "/activate/file");
  const key = await portal.issue("--seats", "2");
  const computer = `${word()}-8.12.7-docker`;
  await page.goto(`/anything/qlmcustomersite/qlmwebactivation.aspx?is_file=1&is_pcid=${computer}&is_avkey=${key}`);
  const form = page.getByRole("main");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Get a license file");
  await expect(form.getByLabel("Activation key")).toHaveValue(key);
  await expect(form.getByLabel("Computer id")).toHaveValue(computer);
  await expectFits();
  await expectAccessible();
  await form.getByLabel("Computer name").fill("Office");
  const [download] = await Promise.all([page.waitForEvent("download"), form.getByLabel("Computer name").press("Enter")]);
  expect(download.suggestedFilename()).toBe("LicenseFile.xml");
  const text = await readFile(await download.path(), "utf8");
  expect(text).toContain(`<computerID>${computer}</computerID>`);
  expect(text).toContain("</Signature></QuickLicenseManager>");

  await page.goto("/activate/file");
  await form.getByLabel("Activation key").fill("AAAAA-BBBBB-CCCCC-DDDDX");
  await form.getByLabel("Computer id").fill(computer);
  await form.getByRole("button", { name: "Download the file" }).click();
  await expect(form.getByText("There is no license with this activation key").first()).toBeVisible();
  await expect(form.getByLabel("Computer id")).toHaveValue(computer);
  await expectAccessible();
});

test("whoever has a key looks at its license from an app's link", async ({ page, portal, expectAccessible, expectFits }) => {
  const key = await portal.issue("--seats", "2");
  const activated = await fetch(`${portal.url}/qlm/qlmservice.asmx/ValidateLicenseHttp?is_avkey=${key}&is_pcid=HW-${word()}&is_computer_name=Office`);
  expect(await activated.text()).toContain("<status>2</status>");
  const form = page.getByRole("main");
  await page.goto(`/anything/QlmCustomerSite/QlmLicenseInfo.aspx?is_avkey=${key}`);
  await form.getByRole("button", { name: "Show the license" }).click();
  await expect(form.getByText("1 of 2 seats taken")).toBeVisible();
  await expect(form.getByText("Office")).toBeVisible();
  await expectFits();
  await expectAccessible();
});

test("a computer is released by the code of its app", async ({ page, portal, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(409, "/release");
  const key = await portal.issue("--seats", "1");
  const computer = `HW-${word()}`;
  await letApps(portal);
  const activated = await fetch(`${portal.url}/qlm/qlmservice.asmx/ValidateLicenseHttp?is_avkey=${key}&is_pcid=${computer}`);
  expect(await activated.text()).toContain("<status>2</status>");
  await page.goto(`/x/QlmReleaseLicense.aspx?is_avkey=${key}&is_pcid=${computer}`);
  const form = page.getByRole("main");
  await expect(form.getByLabel("Computer id")).toHaveValue(computer);
  await form.getByLabel("Code from the app").fill("0".repeat(32));
  await form.getByLabel("Code from the app").press("Enter");
  await expect(form.getByText("This code does not fit").first()).toBeVisible();
  await expectFits();
  await expectAccessible();
  const day = new Date().toISOString().slice(0, 10);
  const code = createHash("md5").update(`${key.replaceAll("-", "")}|${computer}|${SECRET}|${day}`).digest("hex");
  await form.getByLabel("Code from the app").fill(code);
  await form.getByLabel("Code from the app").press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The computer is released");
  await expectAccessible();
});

test("a trial key comes by mail to who asks for it", async ({ page, portal, expectAccessible, expectFits }) => {
  // From one network address three trials are asked for in an hour.
  test.skip(!test.info().project.name.startsWith("desktop"), "phones show the same form");
  await letApps(portal);
  const form = page.getByRole("main");
  const email = `${word()}@customer.example`;
  portal.secret(email);
  await page.goto(`/x/QlmRegistrationForm.aspx?is_email=${email}&is_fullname=Ann`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Try it");
  await expect(form.getByLabel("E-mail address")).toHaveValue(email);
  await expectFits();
  await expectAccessible();
  await form.getByLabel("Product").selectOption({ index: 1 });
  await form.getByRole("button", { name: "Send me a trial key" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Look into your mail");
  await expect(form).toContainText(email);
  await expectAccessible();
});
