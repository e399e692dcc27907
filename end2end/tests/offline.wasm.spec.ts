// The workbench of /offline: files are read in the browser before anything is sent, and answers before anything can be saved.

import fs from "node:fs";
import path from "node:path";
import { computerId, licenseSpring, samples } from "../support/sample.ts";
import { seedLicenseSpring } from "../support/seed.ts";
import { expect, test, type TestPortal } from "../support/test.ts";
import type { Locator, Page, Request } from "@playwright/test";

const answers = "**/offline/answer**";

async function open(page: Page, awake: () => Promise<void>, at = "") {
  await page.goto(`${at}/offline`);
  await awake();
}

const choose = (page: Page, files: Parameters<Locator["setInputFiles"]>[0]) => page.locator("input[type=file]").setInputFiles(files);
const card = (page: Page, name: string) => page.getByRole("article").filter({ has: page.getByRole("heading", { name, exact: true }) });

/** Everything the page posts from here on. */
function posts(page: Page): Request[] {
  const seen: Request[] = [];
  page.on("request", (request) => void (request.method() === "POST" && seen.push(request)));
  return seen;
}

async function save(page: Page, link: Locator): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return download.path();
}

test("a request is read before anything is sent, and its answer is checked before it can be saved", async ({ page, portal, awake, expectAccessible, expectFits }) => {
  const key = await portal.issue("--seats", "1");
  const device = computerId();
  const file = await portal.request(key, device, "--device-name", "press-9");
  const sent = posts(page);
  await open(page, awake);
  await expectFits();
  await expectAccessible();
  await choose(page, file);
  const it = card(page, "activate.req");
  await expect(it).toContainText("Ready to send");
  for (const fact of ["Activate Press Designer 4", "proved, and not in the file", "press-9", "its clock is right"]) await expect(it).toContainText(fact);
  await expect(page.getByText("Nothing has been sent yet.").last()).toBeVisible();
  expect(sent).toEqual([]);
  await expectFits();
  await expectAccessible();

  await page.getByRole("button", { name: "Get license", exact: true }).click();
  await expect(it).toContainText("License ready");
  await expect(it).toContainText("It is signed by the vendor, and unchanged since.");
  await expect(it).toContainText("It is for press-9.");
  await expect(it).toContainText("It answers this request.");
  await expect(page.getByRole("heading", { name: "What now" })).toBeVisible();
  expect(sent).toHaveLength(1);
  await expectFits();
  await expectAccessible();
  const license = await save(page, it.getByRole("link", { name: /^Download .*\.lic$/ }));
  expect(JSON.stringify(await portal.claims(fs.readFileSync(license, "utf8")))).toContain(device);
});

test("several files are answered at once, one refused file does not stop the others, and all come as one zip", async ({ page, portal, awake, expectStatus, expectAccessible }) => {
  expectStatus(409, /^\/offline\/answer/);
  const key = await portal.issue("--seats", "2");
  const requests = await Promise.all([1, 2, 3].map(() => portal.request(key, computerId())));
  const files = requests.map((file, place) => ({ name: `machine-${place + 1}.req`, mimeType: "application/octet-stream", buffer: fs.readFileSync(file) }));
  files.push({ name: "machine-4.req", mimeType: "application/octet-stream", buffer: fs.readFileSync(path.join(samples, "broken/truncated.req")) });
  await open(page, awake);
  await choose(page, files);
  await expect(card(page, "machine-4.req")).toContainText("Cannot be sent");
  await page.getByRole("button", { name: "Get 3 licenses" }).click();
  await expect(page.getByText("2 of 4 files are answered.").last()).toBeVisible();
  const refused = page.getByRole("article").filter({ hasText: "All 2 seats are taken" });
  await expect(refused).toHaveCount(1);
  // The machines that hold them, and what to tell support.
  await expect(refused.getByRole("listitem").filter({ hasText: "id ends in" })).toHaveCount(2);
  await expect(refused).toContainText(/Reference R-/);
  await expectAccessible();
  const bytes = fs.readFileSync(await save(page, page.getByRole("link", { name: "Download all as one zip" })));
  expect(bytes.subarray(0, 4)).toEqual(Buffer.from("PK\x03\x04"));
  expect(bytes.toString("latin1").match(/PK\x01\x02/g)).toHaveLength(2);
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 2 });
});

test("files can be dropped anywhere on the page, or pasted", async ({ page, portal, awake }) => {
  const key = await portal.issue("--seats", "2");
  const [one, other] = [fs.readFileSync(await portal.request(key, computerId()), "utf8"), fs.readFileSync(await portal.request(key, computerId()), "utf8")];
  await open(page, awake);
  const data = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "dropped.req"));
    return data;
  }, one);
  await page.dispatchEvent("footer", "dragover", { dataTransfer: data });
  await expect(page.locator("body")).toHaveClass(/dragging/);
  await page.dispatchEvent("footer", "drop", { dataTransfer: data });
  await expect(card(page, "dropped.req")).toContainText("Ready to send");
  await page.getByText("Paste the text of a request instead").click();
  await page.getByLabel("Text of one request file").fill(other);
  await page.getByRole("button", { name: "Read this text" }).click();
  await expect(card(page, "pasted.req")).toContainText("Ready to send");
  await page.getByRole("button", { name: "Remove dropped.req" }).click();
  await expect(card(page, "dropped.req")).toHaveCount(0);
  await page.getByRole("button", { name: "Get license", exact: true }).click();
  await expect(card(page, "pasted.req")).toContainText("License ready");
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 1 });
});

test("a release frees the seat and ends with a signed receipt", async ({ page, portal, awake, expectAccessible, expectFits }) => {
  const key = await portal.issue("--seats", "1");
  const device = computerId();
  const request = await portal.request(key, device);
  const folder = path.dirname(request);
  await portal.cli(["product", "edit", portal.sample.product, "--min-hold-hours", "0"]);
  await portal.cli(["answer", request, "-o", folder]);
  const license = path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith(".lic"))!);
  const release = path.join(folder, "release.req");
  await portal.cli(["request", "--product", portal.sample.product, "--license", license, "--device-id", device, "--act", "release", "--device-key", path.join(folder, "device.key"), "-o", release]);
  await open(page, awake);
  await choose(page, release);
  await page.getByRole("button", { name: "Release 1 machine" }).click();
  const it = card(page, "release.req");
  await expect(it).toContainText("Released");
  await expectFits();
  await expectAccessible();
  const receipt = await save(page, it.getByRole("link", { name: /^Download/ }));
  expect(await portal.claims(fs.readFileSync(receipt, "utf8"))).toMatchObject({ dev: { id: device } });
  expect(await portal.cli(["license", "show", key])).toMatchObject({ seats_taken: 0 });
});

test("LicenseSpring's own requests are answered in its own form, with both signatures checked, and released after a question", async ({ page, fresh, awake, expectStatus, expectAccessible, expectFits }) => {
  test.setTimeout(60_000);
  // The question before a release is a refusal until it is answered.
  expectStatus(409, /^\/offline\/answer/);
  await seedLicenseSpring(fresh);
  await open(page, awake, fresh.url);
  const activations = ["v1_activation_key.req", "v2_activation_spaced_escaped.req", "v1_activation_user.req"];
  await choose(page, activations.map((name) => path.join(samples, "licensespring", name)));
  await expect(card(page, "v1_activation_key.req")).toContainText("Test Product");
  await page.getByRole("button", { name: "Get 3 licenses" }).click();
  for (const name of activations) {
    await expect(card(page, name)).toContainText("License ready");
    await expect(card(page, name)).toContainText("The signatures the app checks (RSA) hold.");
  }
  // Names as long as these break, and the page keeps its width.
  await expectFits();
  const file = await save(page, card(page, "v1_activation_key.req").getByRole("link", { name: /^Download/ }));
  expect(JSON.parse(Buffer.from(fs.readFileSync(file, "utf8").trim(), "base64").toString())).toMatchObject({ license_key: licenseSpring.key });
  // The inspector reads it too, and checks both signatures by the browser's own means.
  await page.goto(`${fresh.url}/inspect`);
  await awake();
  await page.locator("input[type=file]").setInputFiles(file);
  const report = page.getByRole("article");
  await expect(report).toContainText("License file, compatible with LicenseSpring");
  await expect(report).toContainText("Genuine");
  await expect(report).toContainText("The signature license_signature_v2 holds.");
  const before = await fresh.cli(["license", "show", licenseSpring.key]);
  for (const [name, words] of [["deactivate_offline.req", "This activation key is not known here"], ["v1_deactivation_key.req", "This request was used before"]] as const) {
    await open(page, awake, fresh.url);
    await choose(page, path.join(samples, "licensespring", name));
    await page.getByRole("button", { name: "Release 1 machine" }).click();
    await expect(card(page, name)).toContainText(words);
  }
  expect((await fresh.cli(["license", "show", licenseSpring.key])).seats_taken).toBe(before.seats_taken);
  await open(page, awake, fresh.url);
  await choose(page, path.join(samples, "licensespring/v2_deactivation_spaced_utf8.req"));
  await page.getByRole("button", { name: "Release 1 machine" }).click();
  const it = card(page, "v2_deactivation_spaced_utf8.req");
  await expect(it).toContainText("Waits for your answer");
  await expectFits();
  await expectAccessible();
  await it.getByRole("button", { name: "Release this machine" }).click();
  await expect(it).toContainText("Released");
  expect((await fresh.cli(["license", "show", licenseSpring.key])).seats_taken).toBe(before.seats_taken - 1);
});

// The table in tests/samples/README.md in words.
const broken: Record<string, string> = {
  "base64_of_garbage.req": "This file holds binary data",
  "deep_nesting.req": "nested deeper than any request or license needs",
  "empty.req": "This file is empty.",
  "html_error_page.req": "This is a web page, most likely an error page saved in place of the file.",
  "json_array.req": "This is neither a request, a license nor a receipt in any format known here.",
  "not_base64_inside.req": "of this file (",
  "pdf.req": "This is a PDF document, not a request or license file.",
  "truncated.req": "This file was cut off after",
  "utf16.req": "This file was saved as UTF-16",
  "zip.req": "This is a zip archive.",
};

test("what people bring by mistake is told apart without a network, and the one that only looks broken is not", async ({ page, awake, expectAccessible, expectFits }) => {
  const sent = posts(page);
  await open(page, awake);
  await choose(page, [...Object.keys(broken), "wrapped_lines.req", "tampered_hardware_id.req"].map((name) => path.join(samples, "broken", name)));
  for (const [name, words] of Object.entries(broken)) {
    await expect(card(page, name)).toContainText("Cannot be sent");
    await expect(card(page, name)).toContainText(words);
  }
  await expect(card(page, "wrapped_lines.req")).toContainText("Ready to send");
  // Only the portal knows the key this one is signed with.
  await expect(card(page, "tampered_hardware_id.req")).toContainText("can only be checked by the portal");
  expect(sent).toEqual([]);
  await expectFits();
  await expectAccessible();
});

test("a file of 10 MB is refused before it is read, and nothing is sent", async ({ page, awake }) => {
  const sent = posts(page);
  await open(page, awake);
  await page.evaluate(() => {
    const read = Blob.prototype.arrayBuffer;
    Blob.prototype.arrayBuffer = function () {
      document.title = "read";
      return read.call(this);
    };
  });
  await choose(page, { name: "big.req", mimeType: "application/octet-stream", buffer: Buffer.alloc(10 * 1024 * 1024, 65) });
  await expect(card(page, "big.req")).toContainText("This file has 10,485,760 bytes; request and license files have at most 65,536.");
  await expect(page).not.toHaveTitle("read");
  expect(sent).toEqual([]);
});

test("the whole flow works from the keyboard, and focus is never lost", async ({ page, portal, awake }) => {
  const key = await portal.issue();
  const text = fs.readFileSync(await portal.request(key, computerId()), "utf8");
  await open(page, awake);
  const focusOn = async (target: Locator) => {
    for (let step = 0; step < 40 && !(await target.evaluate((element) => element === document.activeElement)); step++) await page.keyboard.press("Tab");
    await expect(target).toBeFocused();
  };
  // A file chooser opens from the keyboard.
  await focusOn(page.locator("input[type=file]"));
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
  await chooser.setFiles({ name: "by-keyboard.req", mimeType: "application/octet-stream", buffer: Buffer.from(text) });
  await expect(card(page, "by-keyboard.req")).toContainText("Ready to send");
  await focusOn(page.getByRole("button", { name: "Get license", exact: true }));
  await page.keyboard.press("Enter");
  // The button that was pressed is gone: focus went on to what came of it.
  await expect.poll(() => card(page, "by-keyboard.req").evaluate((it) => it.contains(document.activeElement))).toBe(true);
  const download = page.getByRole("link", { name: /^Download .*\.lic$/ });
  await focusOn(download);
  const [saved] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(saved.suggestedFilename()).toMatch(/\.lic$/);
});

test.describe("a reply that was altered on its way is never offered for saving, and says what is wrong:", () => {
  test.beforeEach(({}, info) => test.skip(info.project.name !== "desktop", "what is decided here has no width"));

  type Answer = { body: string; product_name: string };
  const parts = (body: string) => body.trim().split(".") as [string, string, string];
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  /** What the portal says to a request that another computer, another app or another moment made. */
  async function answerTo(portal: TestPortal, file: string): Promise<string> {
    const answer = await fetch(`${portal.url}/offline/answer?name=other.req`, { method: "POST", body: fs.readFileSync(file) });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { answer: Answer }).answer.body;
  }

  async function swapped(page: Page, awake: () => Promise<void>, file: string, alter: (body: string) => string | Promise<string>, words: RegExp | string, at = "") {
    await page.route(answers, async (route) => {
      const reply = await route.fetch();
      const json = (await reply.json()) as { answer: Answer };
      json.answer.body = await alter(json.answer.body);
      await route.fulfill({ response: reply, json });
    });
    await open(page, awake, at);
    await choose(page, file);
    await page.getByRole("button", { name: "Get license", exact: true }).click();
    const it = page.getByRole("article");
    await expect(it).toContainText("Not to be trusted");
    await expect(it).toContainText("The portal sent an answer that does not hold, so there is nothing to download.");
    await expect(it).toContainText(words);
    await expect(page.getByRole("link", { name: /Download/ })).toHaveCount(0);
  }

  test("a byte", async ({ page, portal, awake }) => {
    const file = await portal.request(await portal.issue(), computerId());
    await swapped(page, awake, file, (body) => {
      const [header, claims, signature] = parts(body);
      return [header, encode({ ...decode(claims), seats: 999 }), signature].join(".");
    }, "The signature does not match what this file says: the file was changed after it was signed.");
  });

  test("the computer", async ({ page, portal, awake }) => {
    const key = await portal.issue("--seats", "2");
    const other = await answerTo(portal, await portal.request(key, "another-computer"));
    await swapped(page, awake, await portal.request(key, computerId()), () => other, /This file is for computer …mputer, not for …/);
  });

  test("the request", async ({ page, portal, awake }) => {
    const key = await portal.issue("--seats", "2");
    const device = computerId();
    const first = await portal.request(key, device);
    const earlier = await answerTo(portal, first);
    const again = path.join(path.dirname(first), "again.req");
    await portal.cli(["request", "--product", portal.sample.product, "--key", key, "--device-id", device, "--device-key", path.join(path.dirname(first), "device.key"), "-o", again]);
    await swapped(page, awake, again, () => earlier, "This file answers another request.");
  });

  test("the product", async ({ page, portal, awake }) => {
    const code = `OTHER${Date.now().toString(36).toUpperCase()}`;
    await portal.cli(["product", "add", code, "--name", "Another Product"]);
    const device = computerId();
    const otherKey = await portal.issue("--product", code);
    const other = await answerTo(portal, await portal.request(otherKey, device, "--product", code));
    await swapped(page, awake, await portal.request(await portal.issue(), device), () => other, `This file is for product ${code}`);
  });

  test("the name of the signing key", async ({ page, portal, awake }) => {
    const file = await portal.request(await portal.issue(), computerId());
    await swapped(page, awake, file, (body) => {
      const [header, claims, signature] = parts(body);
      return [encode({ ...decode(header), kid: "A".repeat(43) }), claims, signature].join(".");
    }, /signed with a key that is not known here/);
  });

  test("one of LicenseSpring's RSA signatures", async ({ page, fresh, awake }) => {
    await seedLicenseSpring(fresh);
    const file = path.join(samples, "licensespring/v2_activation_compact.req");
    await swapped(page, awake, file, (body) => {
      const license = JSON.parse(Buffer.from(body.trim(), "base64").toString());
      const signature = Buffer.from(license.license_signature_v2 ?? license.license_signature, "base64");
      signature[10]! ^= 1;
      license[license.license_signature_v2 ? "license_signature_v2" : "license_signature"] = signature.toString("base64");
      return Buffer.from(JSON.stringify(license)).toString("base64");
    }, /The signature license_signature(_v2)? does not match what this file says/, fresh.url);
  });
});
