// What the browser checks while one types or reads, without asking the server.

import fs from "node:fs";
import path from "node:path";
import { computerId } from "../support/sample.ts";
import { expect, test } from "../support/test.ts";

test("a typing mistake in the key names its group while one types, and is not sent", async ({ page, portal, awake, expectAccessible }) => {
  const key = await portal.issue();
  const groups = key.split("-");
  const last = groups[1]!.at(-1)!;
  groups[1] = groups[1]!.slice(0, -1) + (last === "7" ? "8" : "7");
  let posted = false;
  page.on("request", (request) => void (posted ||= request.method() === "POST"));
  await page.goto("/activate");
  await awake();
  const field = page.getByLabel("Activation key");
  await field.pressSequentially(groups.join("-"));
  await expect(page.getByText(/^The second group has a typing mistake/)).toBeVisible();
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expectAccessible();
  await page.getByLabel("Computer id").fill(computerId());
  await page.getByRole("button", { name: "Activate this computer" }).click();
  await expect(page).toHaveURL("/activate");
  expect(posted).toBe(false);
  // What was typed is not changed under the fingers, and a right key says so.
  await expect(field).toHaveValue(groups.join("-"));
  await field.fill(key.toLowerCase().replaceAll("-", " "));
  await expect(page.getByText("No typing mistake in this key.")).toBeVisible();
  await page.getByRole("button", { name: "Activate this computer" }).click();
  await expect(page.locator("#computer-key")).toBeVisible();
});

test("a key of another shape is left alone", async ({ page, awake }) => {
  await page.goto("/activate");
  await awake();
  await page.getByLabel("Activation key").fill("FUH3-4E7A-LZJL-7JTP");
  await expect(page.getByText(/typing mistake/)).toHaveCount(0);
});

test("the inspector reads requests and licenses in the browser and sends nothing", async ({ page, portal, awake, expectAccessible, expectFits }) => {
  const key = await portal.issue();
  const device = computerId();
  const request = await portal.request(key, device);
  const folder = path.dirname(request);
  await portal.cli(["answer", request, "-o", folder]);
  const license = path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith(".lic"))!);
  await page.goto("/inspect");
  await awake();
  const sent: string[] = [];
  page.on("request", (asked) => void (asked.method() === "POST" && sent.push(asked.url())));
  const article = page.getByRole("article");
  await page.locator("input[type=file]").setInputFiles(license);
  await expect(article).toContainText("Genuine");
  await expect(article).toContainText(device);
  await expectFits();
  await expectAccessible();
  await page.locator("input[type=file]").setInputFiles(request);
  await expect(article).toContainText("Request file");
  await expect(article.getByRole("heading")).toBeFocused();
  const [header, claims, signature] = fs.readFileSync(license, "utf8").trim().split(".") as [string, string, string];
  const moved = Buffer.from(Buffer.from(claims, "base64url").toString().replace(device, `${device}0`)).toString("base64url");
  await page.locator("input[type=file]").setInputFiles({ name: "forged.lic", mimeType: "text/plain", buffer: Buffer.from([header, moved, signature].join(".")) });
  await expect(article).toContainText("the file was changed after it was signed");
  await expect(article).not.toContainText(/\bGenuine\b/);
  expect(sent).toEqual([]);
});
