// The offline page as a form: for browsers without JavaScript, and for what the island sends nothing for.

import fs from "node:fs";
import path from "node:path";
import { computerId, licenseSpring, samples } from "../support/sample.ts";
import { seedLicenseSpring } from "../support/seed.ts";
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

test("a release frees the seat and ends with a signed receipt", async ({ page, portal, expectAccessible, expectFits }) => {
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
  await expectFits();
  await expectAccessible();
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

const unanswered: Record<string, string> = {
  "deactivate_offline.req": "This activation key is not known here",
  "v1_deactivation_key.req": "This request was used before",
};

// The table in tests/samples/README.md in words, and the one that is good although it looks broken.
const broken: Record<string, string> = {
  "base64_of_garbage.req": "This file holds binary data",
  "deep_nesting.req": "nested deeper than any request or license needs",
  "empty.req": "This file is empty.",
  "html_error_page.req": "This is a web page, most likely an error page saved in place of the file.",
  "json_array.req": "This is neither a request, a license nor a receipt in any format known here.",
  "not_base64_inside.req": "of this file (",
  "pdf.req": "This is a PDF document, not a request or license file.",
  "tampered_hardware_id.req": "The signature does not match what this file says: the file was changed after it was signed",
  "truncated.req": "This file was cut off after",
  "utf16.req": "This file was saved as UTF-16",
  "zip.req": "This is a zip archive.",
};

test("what people upload by mistake is told apart, and nothing of it is kept", async ({ page, portal, expectAccessible, expectFits }) => {
  const files = fs.readdirSync(path.join(samples, "broken"));
  expect(files.sort()).toEqual([...Object.keys(broken), "wrapped_lines.req"].sort());
  const licenses = async () => JSON.stringify((await portal.cli(["license", "show", licenseSpring.key])).activations.map((one: { device_id: string }) => one.device_id));
  await page.goto("/offline");
  await page.getByLabel("Request files").setInputFiles(files.map((name) => path.join(samples, "broken", name)));
  await page.getByRole("button", { name: "Get license files" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("1 of 12 files are answered");
  for (const [name, words] of Object.entries(broken)) {
    const card = page.getByRole("article").filter({ has: page.getByRole("heading", { name, exact: true }) });
    await expect(card).toContainText("Not answered");
    await expect(card).toContainText(words);
    // What to do about it follows, and a reference that staff can find.
    await expect(card).toContainText(/(Copy|Choose|Make|Send|Unpack|Open) .*\./);
    await expect(card).toContainText("Reference");
  }
  await expect(page.getByRole("article").filter({ hasText: "wrapped_lines.req" })).toContainText("License ready");
  await expectFits();
  await expectAccessible();
  expect(await licenses()).not.toContain("tampered");
});

test("LicenseSpring's own requests are answered in its own form and released, however they are spelt", async ({ page, fresh, expectAccessible, expectFits }) => {
  test.setTimeout(60_000);
  await seedLicenseSpring(fresh);
  const send = async (name: string) => {
    await page.goto(`${fresh.url}/offline`);
    await page.getByLabel("Request files").setInputFiles(path.join(samples, "licensespring", name));
    await page.getByRole("button", { name: "Get license files" }).click();
  };
  for (const name of ["v1_activation_key.req", "v2_activation_compact.req", "v2_activation_spaced_escaped.req", "v1_activation_user.req"]) {
    await send(name);
    await expect(page.getByRole("heading", { level: 1 }), name).toHaveText("The license file is ready");
    const href = await page.getByRole("link", { name: /^Download .*\.lic$/ }).getAttribute("href");
    const text = await (await page.request.get(new URL(href!, fresh.url).href)).text();
    expect(JSON.parse(Buffer.from(text.trim(), "base64").toString("utf8"))).toMatchObject(name.includes("user") ? { username: licenseSpring.user } : { license_key: licenseSpring.key });
  }
  await send("documented_payload.req");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nothing could be answered");
  const before = await fresh.cli(["license", "show", licenseSpring.key]);
  // One names another license, one is signed in a way that proves no release: neither frees a seat.
  for (const [name, words] of Object.entries(unanswered)) {
    await send(name);
    await expect(page.getByRole("heading", { level: 1 }), name).toHaveText("Nothing could be answered");
    await expect(page.getByRole("article"), name).toContainText(words);
  }
  expect((await fresh.cli(["license", "show", licenseSpring.key])).seats_taken).toBe(before.seats_taken);
  await send("v2_deactivation_spaced_utf8.req");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("One question first");
  await expectFits();
  await expectAccessible();
  // The question stands at an address of its own, which can be opened again; files are not kept, so the answer brings it along.
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("One question first");
  await page.getByLabel("Choose this file once more").setInputFiles(path.join(samples, "licensespring", "v2_deactivation_spaced_utf8.req"));
  await page.getByRole("button", { name: "Release this machine" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The machine is released");
  const after = await fresh.cli(["license", "show", licenseSpring.key]);
  expect(after.seats_taken).toBe(before.seats_taken - 1);
});

test("a file of 10 MB is refused with a page", async ({ page, expectStatus, expectAccessible }) => {
  expectStatus(413, "/offline");
  await page.goto("/offline");
  await page.getByLabel("Request files").setInputFiles({ name: "big.req", mimeType: "application/octet-stream", buffer: Buffer.alloc(10 * 1024 * 1024, 65) });
  const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === "POST"), page.getByRole("button", { name: "Get license files" }).click()]);
  expect(answer.status()).toBe(413);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectAccessible();
});
