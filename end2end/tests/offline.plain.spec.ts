// The offline page as a form: for browsers without JavaScript, and for what the island sends nothing for.

import fs from "node:fs";
import path from "node:path";
import { computerId, licenseSpring, samples } from "../support/sample.ts";
import { expect, test } from "../support/test.ts";

test.skip(({ javaScriptEnabled }) => javaScriptEnabled === true, "with JavaScript the workbench takes the files: offline.wasm.spec.ts");

test("a request becomes a license file for its computer", async ({ page, portal, expectAccessible, expectFits }) => {
  const key = await portal.issue("--seats", "1");
  const computer = computerId();
  await page.goto("/offline");
  await expectFits();
  await expectAccessible();
  await page.getByLabel("Request files").setInputFiles(await portal.request(key, computer, "--device-name", "press-9"));
  await page.getByRole("button", { name: "Get license files" }).click();

  await expect(page).toHaveURL(/\/offline\/[\w-]{43}$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The license file is ready");
  await expectFits();
  await expectAccessible();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /^Download .*\.lic$/ }).click()]);
  expect(download.suggestedFilename()).toMatch(/\.lic$/);
  expect(JSON.stringify(await portal.claims(fs.readFileSync(await download.path(), "utf8")))).toContain(computer);
  const kept = await page.request.get(page.url());
  expect(kept.headers()).toMatchObject({ "cache-control": "no-store", "x-robots-tag": "noindex" });
});

test("the same file again is answered with the same bytes and takes no second seat", async ({ page, portal }) => {
  const key = await portal.issue("--seats", "5");
  const file = await portal.request(key, computerId());
  const answers: string[] = [];
  for (let time = 0; time < 2; time++) {
    await page.goto("/offline");
    await page.getByLabel("Request files").setInputFiles(file);
    await page.getByRole("button", { name: "Get license files" }).click();
    const href = await page.getByRole("link", { name: /^Download .*\.lic$/ }).getAttribute("href");
    answers.push(await (await page.request.get(href!)).text());
  }
  expect(answers[1]).toBe(answers[0]);
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 1 });
});

test("pasted text is a file", async ({ page, portal }) => {
  const key = await portal.issue();
  const text = fs.readFileSync(await portal.request(key, computerId()), "utf8");
  await page.goto("/offline");
  await page.getByText("Paste the text of a request instead").click();
  await page.getByLabel("Text of one request file").fill(text);
  await page.getByRole("button", { name: "Get license files" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The license file is ready");
});

test("a release frees the seat and ends with a signed receipt", async ({ page, portal }) => {
  // By default a seat is held for a day before a file gives it back.
  await portal.cli(["product", "edit", portal.sample.product, "--min-hold-hours", "0"]);
  const key = await portal.issue("--seats", "1");
  const computer = computerId();
  const request = await portal.request(key, computer);
  const send = async (file: string) => {
    await page.goto("/offline");
    await page.getByLabel("Request files").setInputFiles(file);
    await page.getByRole("button", { name: "Get license files" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /^Download/ }).click()]);
    return download.path();
  };
  const license = path.join(path.dirname(request), "license.lic");
  fs.copyFileSync(await send(request), license);
  const release = path.join(path.dirname(request), "release.req");
  await portal.cli(["request", "--product", portal.sample.product, "--license", license, "--device-id", computer, "--act", "release", "--device-key", path.join(path.dirname(request), "device.key"), "-o", release]);
  const receipt = await send(release);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The machine is released");
  expect(await portal.claims(fs.readFileSync(receipt, "utf8"))).toMatchObject({ dev: { id: computer } });
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 0 });
});

test("one refused file does not stop the others, and all come as one zip", async ({ page, portal }) => {
  const key = await portal.issue("--seats", "2");
  const files = [await portal.request(key, computerId()), await portal.request(key, computerId()), path.join(samples, "broken/truncated.req")];
  const renamed = files.map((file, place) => ({ name: `machine-${place + 1}.req`, mimeType: "application/octet-stream", buffer: fs.readFileSync(file) }));
  await page.goto("/offline");
  await page.getByLabel("Request files").setInputFiles(renamed);
  await page.getByRole("button", { name: "Get license files" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("2 of 3 files are answered");
  await expect(page.getByRole("article").filter({ hasText: "machine-3.req" })).toContainText("Not answered");
  const [zip] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download all as one zip" }).click()]);
  const bytes = fs.readFileSync(await zip.path());
  expect(bytes.subarray(0, 4)).toEqual(Buffer.from("PK\x03\x04"));
  expect(bytes.toString("latin1").match(/PK\x01\x02/g)).toHaveLength(2);
});

for (const name of ["v1_activation_key.req", "v2_activation_compact.req", "v2_activation_spaced_escaped.req"]) {
  test(`LicenseSpring's own request is answered in its own form: ${name}`, async ({ page }) => {
    await page.goto("/offline");
    await page.getByLabel("Request files").setInputFiles(path.join(samples, "licensespring", name));
    await page.getByRole("button", { name: "Get license files" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("The license file is ready");
    const href = await page.getByRole("link", { name: /^Download .*\.lic$/ }).getAttribute("href");
    const text = await (await page.request.get(href!)).text();
    expect(JSON.parse(Buffer.from(text.trim(), "base64").toString("utf8"))).toMatchObject({ license_key: licenseSpring.key });
  });
}

// The table in tests/samples/README.md, and the one that is good although it looks broken.
for (const name of fs.readdirSync(path.join(samples, "broken")).sort()) {
  test(`what people upload by mistake is told apart: ${name}`, async ({ page, portal }) => {
    const before = JSON.stringify(await portal.cli(["license", "show", licenseSpring.key]));
    await page.goto("/offline");
    await page.getByLabel("Request files").setInputFiles(path.join(samples, "broken", name));
    await page.getByRole("button", { name: "Get license files" }).click();
    if (name === "wrapped_lines.req") {
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("The license file is ready");
      return;
    }
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nothing could be answered");
    const card = page.getByRole("article");
    await expect(card).toContainText("Not answered");
    const said = await card.innerText();
    expect(said.length, said).toBeGreaterThan(60);
    expect(JSON.stringify(await portal.cli(["license", "show", licenseSpring.key])).replace(/"seats_taken":\d+/, "")).toBe(before.replace(/"seats_taken":\d+/, ""));
  });
}

test("a file of 10 MB is refused with a page", async ({ page, expectStatus, expectAccessible }) => {
  expectStatus(413, "/offline");
  await page.goto("/offline");
  await page.getByLabel("Request files").setInputFiles({ name: "big.req", mimeType: "application/octet-stream", buffer: Buffer.alloc(10 * 1024 * 1024, 65) });
  const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === "POST"), page.getByRole("button", { name: "Get license files" }).click()]);
  expect(answer.status()).toBe(413);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectAccessible();
});
