// What a customer meets before, beside and instead of an activation: the front door, the inspector, the pages that say no.

import fs from "node:fs";
import path from "node:path";
import { computerId, samples } from "../support/sample.ts";
import { settings } from "../support/seed.ts";
import { expect, test } from "../support/test.ts";

test("the front door leads to each way of activating", async ({ page, expectFits }) => {
  for (const [door, path] of [["Activate with a key", "/activate"], ["Activate a computer without a network", "/offline"], ["Read a file", "/inspect"]] as const) {
    await page.goto("/");
    await expectFits();
    await page.getByRole("link", { name: door }).click();
    await expect(page).toHaveURL(path);
  }
  await page.goto("/");
  await page.getByText("All seats are taken").click();
  await expect(page.getByText("the page that refuses shows which machines hold the seats")).toBeVisible();
});

test("both fields and the button of the activation form are in sight at once on a phone", async ({ page, awake, viewport }) => {
  await page.goto("/activate");
  await awake();
  for (const part of [page.getByLabel("Activation key"), page.getByLabel("Computer id"), page.getByRole("button", { name: "Activate this computer" })]) {
    const box = await part.boundingBox();
    expect(box!.y + box!.height).toBeLessThanOrEqual(viewport!.height);
    expect(box!.height).toBeGreaterThanOrEqual(44);
  }
});

test("a link from the app fills the form in", async ({ page, awake }) => {
  await page.goto("/activate?key=7qx4&device_id=press-0001&device_name=press-7");
  await awake();
  await expect(page.getByLabel("Activation key")).toHaveValue(/7qx4/i);
  await expect(page.getByLabel("Computer id")).toHaveValue("press-0001");
  await expect(page.getByLabel("Computer name")).toHaveValue("press-7");
});

test("the computer key is copied by its button", async ({ page, portal, awake, context, javaScriptEnabled }) => {
  const key = await portal.issue();
  await page.goto("/activate");
  await awake();
  await page.getByLabel("Activation key").fill(key);
  await page.getByLabel("Computer id").fill(computerId());
  await page.getByRole("button", { name: "Activate this computer" }).click();
  const computerKey = (await page.locator("#computer-key").innerText()).trim();
  portal.secret(computerKey);
  const copy = page.getByRole("button", { name: "Copy the computer key" });
  // A button that can do nothing is not shown.
  if (!javaScriptEnabled) return expect(copy).toBeHidden();
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: portal.url });
  await copy.click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(computerKey);
});

test.describe("without JavaScript the inspector", () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled === true, "with JavaScript it reads in the browser: inspect.wasm.spec.ts");

  test("reads a request and a license and says whether they are genuine", async ({ page, portal, expectAccessible, expectFits }) => {
    const key = await portal.issue();
    const device = computerId();
    const request = await portal.request(key, device);
    await portal.cli(["answer", request, "-o", path.dirname(request)]);
    const license = fs.readdirSync(path.dirname(request)).find((name) => name.endsWith(".lic"))!;
    const read = async (file: string | { name: string; mimeType: string; buffer: Buffer }) => {
      await page.goto("/inspect");
      await page.getByLabel("Request or license file").setInputFiles(file);
      await page.getByRole("button", { name: "Read the file" }).click();
      return page.getByRole("article");
    };
    const asked = await read(request);
    await expect(asked).toContainText("Request file");
    await expect(asked).toContainText(device);
    await expectFits();
    await expectAccessible();
    const granted = await read(path.join(path.dirname(request), license));
    await expect(granted).toContainText("License file");
    await expect(granted).toContainText("Genuine");
    await expect(granted).toContainText(key.split("-").pop()!);
    const text = fs.readFileSync(path.join(path.dirname(request), license), "utf8").trim();
    const [header, claims, signature] = text.split(".") as [string, string, string];
    const moved = Buffer.from(Buffer.from(claims, "base64url").toString().replace(device, `${device}0`)).toString("base64url");
    const forged = await read({ name: "forged.lic", mimeType: "text/plain", buffer: Buffer.from([header, moved, signature].join(".")) });
    await expect(forged).not.toContainText(/^Genuine/);
    await expect(forged).toContainText("the file was changed after it was signed");
  });

  test("says that it sends the file, and what is wrong with one that is broken", async ({ page, expectStatus }) => {
    expectStatus(422, "/inspect");
    await page.goto("/inspect");
    await expect(page.getByText("This form sends the file to the server, which reads it and forgets it.")).toBeVisible();
    await page.getByRole("button", { name: "Read the file" }).click();
    await expect(page.getByRole("alert")).toContainText("No file was chosen");
    await page.getByLabel("Request or license file").setInputFiles(path.join(samples, "broken/pdf.req"));
    await page.getByRole("button", { name: "Read the file" }).click();
    await expect(page.getByRole("article")).toContainText("This is a PDF document");
    await page.getByText("Read another file").click();
    await page.getByText("Paste its text instead").click();
    await page.getByLabel("Text of the file").fill("{}");
    await page.getByRole("button", { name: "Read the file" }).click();
    await expect(page.getByRole("article")).toContainText("Pasted text");
  });
});

test.describe("a page says no in plain words, with its honest status", () => {
  test("when an address or a result is not there", async ({ page, expectStatus, expectAccessible, expectFits }) => {
    const gone = ["/no-such-page", `/activations/${"A".repeat(43)}`, `/offline/${"A".repeat(43)}`, "/vendor/nothing/here"];
    gone.forEach((path) => expectStatus(404, path));
    for (const path of gone) {
      expect((await page.goto(path))!.status(), path).toBe(404);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(/not here any more|no page at this address/);
      await expect(page.getByRole("main").getByRole("link").first()).toBeVisible();
      await expectFits();
    }
    await expectAccessible();
  });

  test("when a method is wrong or a form comes from another site", async ({ page, expectStatus }) => {
    expectStatus(405, "/offline/answer");
    expect((await page.goto("/offline/answer"))!.status()).toBe(405);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const foreign = await page.request.post("/activate", { form: { key: "x", device_id: "y" }, headers: { origin: "https://evil.example" } });
    expect(foreign.status()).toBe(403);
    expect(await foreign.text()).toContain("This was sent from another site");
  });

  test("when a form is far too large", async ({ page, expectStatus, expectAccessible }) => {
    expectStatus(413, "/activate");
    await page.goto("/activate");
    await page.getByLabel("Activation key").fill("X");
    await page.getByLabel("Computer id").evaluate((field: HTMLInputElement) => {
      field.removeAttribute("maxlength");
      field.value = "x".repeat(10 * 1024 * 1024);
    });
    await page.getByRole("button", { name: "Activate this computer" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("This is larger than anything expected here");
    await expectAccessible();
  });

  test("when activations or sign-ins come too fast", async ({ page, alone, expectStatus, expectAccessible, expectFits }) => {
    expectStatus(429, "/activate");
    expectStatus(429, "/vendor/sign-in");
    const post = (path: string, form: Record<string, string>) => fetch(alone.url + path, { method: "POST", redirect: "manual", body: new URLSearchParams(form) });
    await settings(alone.sample, { activationsPerMinute: "2", signInTries: "3" });
    try {
      for (let time = 0; time < 2; time++) expect((await post("/activate", { key: "NOT-A-KEY-OF-OURS", device_id: "x" })).status).toBe(409);
      await page.goto(`${alone.url}/activate`);
      await page.getByLabel("Activation key").fill("NOT-A-KEY-OF-OURS");
      await page.getByLabel("Computer id").fill("x");
      await page.getByRole("button", { name: "Activate this computer" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("That was too often in a short time");
      await expectFits();
      await expectAccessible();
      const who = { email: `nobody-${computerId()}@vendor.example`, password: "not the right password" };
      alone.secret(who.email);
      const statuses: number[] = [];
      for (let time = 0; time < 4; time++) statuses.push((await post("/vendor/sign-in", who)).status);
      expect(statuses).toEqual([422, 422, 422, 429]);
      await page.goto(`${alone.url}/vendor/sign-in`);
      await page.getByLabel("E-mail address").fill(who.email);
      await page.getByLabel("Password").fill(who.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Too many sign-in tries in a short time");
      await expect(page.getByText("To keep passwords from being guessed")).toBeVisible();
    } finally {
      await settings(alone.sample, {});
    }
  });
});

test("the front door is the vendor's own: name, logo, colour and address are set once and stand on every page", async ({ page, alone, asOwner, expectStatus, expectAccessible, expectFits }) => {
  expectStatus(422, "/vendor/settings");
  await asOwner(alone);
  // A square of one colour.
  const logo = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==", "base64");
  try {
    await page.goto(`${alone.url}/vendor/settings`);
    await page.getByLabel("Name", { exact: true }).fill("ACME Press Works");
    await page.getByLabel("Accent colour").fill("#ffee00");
    await page.getByLabel("Support address").fill("not-an-address@");
    await page.locator("form[action='/vendor/settings']").evaluate((form: HTMLFormElement) => (form.noValidate = true));
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue("ACME Press Works");
    await page.getByLabel("Support address").fill("help@acme.example");
    await page.getByLabel("Logo").setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toContainText("not a PNG, JPEG or WebP picture");
    await page.getByLabel("Logo").setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: logo });
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Saved.")).toBeVisible();
    // What it was before stands beside the form and in the log.
    const changed = page.getByRole("main").getByRole("listitem").filter({ hasText: "Countersign → ACME Press Works" });
    await expect(changed).toContainText("changed settings");
    await page.goto(`${alone.url}/vendor/audit?kind=setting`);
    await expect(changed.first()).toContainText("changed settings of the portal");

    await page.goto(`${alone.url}/`);
    await expect(page).toHaveTitle(/ACME Press Works/);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Activate your ACME Press Works software");
    const mark = page.getByRole("link", { name: "ACME Press Works" }).locator("img");
    expect(await mark.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
    await expect(page.getByRole("contentinfo").getByRole("link")).toHaveAttribute("href", /^mailto:help@acme\.example/);
    expect(await page.content()).not.toContain("Countersign");
    // A yellow nobody could read on paper is darkened until it can be read.
    await expectFits();
    await expectAccessible();
    expect(await (await page.request.get(`${alone.url}/brand.css`)).text()).toContain("--");
  } finally {
    await settings(alone.sample, {});
  }
});

test("signing keys are rotated, and what the old one signed is still genuine", async ({ page, alone, asOwner, expectStatus }) => {
  expectStatus(409, "/vendor/keys/rotate");
  await asOwner(alone);
  const key = await alone.issue();
  const request = await alone.request(key, computerId());
  await alone.cli(["answer", request, "-o", path.dirname(request)]);
  const license = fs.readFileSync(path.join(path.dirname(request), fs.readdirSync(path.dirname(request)).find((name) => name.endsWith(".lic"))!), "utf8");
  await page.goto(`${alone.url}/vendor/keys`);
  await page.getByLabel("Keys of").selectOption({ label: "Press Designer 4" });
  // The standby key was published a moment ago: apps may not know it yet.
  await page.getByRole("button", { name: "Rotate" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Keys of").selectOption({ label: "Press Designer 4" });
  await page.getByLabel("Even if the standby key is younger than a day").check();
  await page.getByRole("button", { name: "Rotate" }).click();
  await expect(page.getByText("Rotated. The new key signs from now on.")).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "retiring" }).first()).toBeVisible();
  // Which key is what now stands beside them and in the log.
  const turned = page.getByRole("main").getByRole("listitem").filter({ hasText: "rotated signing keys" }).first();
  await expect(turned).toContainText(/key [\w-]{12}…: active/);
  await page.goto(`${alone.url}/vendor/audit?kind=seal`);
  await expect(turned).toContainText("rotated signing keys of Press Designer 4");
  await expect(turned).toContainText(/key [\w-]{12}…: retiring/);
  await alone.claims(license);
});

test("every page works from the keyboard: the skip link comes first and focus can be seen", async ({ page, awake }) => {
  for (const path of ["/", "/activate", "/offline", "/inspect"]) {
    await page.goto(path);
    await awake();
    const autofocused = await page.evaluate(() => document.activeElement?.tagName === "INPUT");
    if (!autofocused) {
      await page.keyboard.press("Tab");
      const skip = page.getByRole("link", { name: "Skip to the page" });
      await expect(skip).toBeFocused();
      await expect(skip).toBeInViewport();
      await page.keyboard.press("Enter");
      await expect(page).toHaveURL(/#main$/);
    }
    const seen = new Set<string>();
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        // A link that fills its card shows its ring around the card.
        const rings = [undefined, "::after"].map((part) => getComputedStyle(element, part));
        return { what: element.outerHTML.slice(0, 120), outline: rings.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) };
      });
      if (!focus) break;
      seen.add(focus.what);
      expect(focus.outline, `${path}: ${focus.what}`).toBe(true);
    }
    // The inspector has two stops after the skip link: choosing a file and pasting one.
    expect(seen.size, path).toBeGreaterThan(path === "/inspect" ? 1 : 2);
  }
});

test("a computer is activated without a mouse", async ({ page, portal, awake }) => {
  const key = await portal.issue();
  await page.goto("/activate");
  await awake();
  await expect(page.getByLabel("Activation key")).toBeFocused();
  await page.keyboard.type(key);
  await page.keyboard.press("Tab");
  await page.keyboard.type(computerId());
  await page.keyboard.press("Enter");
  await expect(page.locator("#computer-key")).toBeVisible();
});
