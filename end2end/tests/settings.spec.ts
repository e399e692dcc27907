import { expect, test } from "../support/test.ts";

test("every setting is listed with its risk, found by a word, refused with a reason, changed, and set back", async ({ page, alone, asOwner, expectStatus, expectAccessible, expectFits }) => {
  test.setTimeout(90_000);
  expectStatus(422, "/vendor/settings/all");
  await asOwner(alone);
  await page.goto(`${alone.url}/vendor/settings`);
  await page.getByRole("link", { name: "Every setting" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Every setting");
  const main = page.getByRole("main");
  await expect(main.getByText("Whoever knows this server’s address makes and changes licenses")).toBeVisible();
  await expectFits();
  await expectAccessible();

  const list = page.getByRole("search", { name: "This list" });
  const find = async (text: string) => {
    await list.getByRole("searchbox").fill(text);
    await list.getByRole("button", { name: "Search" }).click();
  };
  await find("nothing is called this");
  await expect(main.getByRole("heading", { level: 2 })).toHaveText("No setting matches");
  await expectFits();
  await expectAccessible();
  await main.getByRole("link", { name: "Show every setting" }).click();
  await find("ONE ADDRESS may have");
  // Its head, and the one that was found.
  await expect(main.getByRole("row")).toHaveCount(2);

  const name = "maxRegistrationsPerUser";
  const row = main.getByRole("row").filter({ hasText: name });
  await row.getByRole("link", { name }).click();
  await expect(main.getByText("Default: 1", { exact: true })).toBeVisible();
  await expectFits();
  await expectAccessible();
  await main.getByRole("link", { name: "Cancel" }).click();
  await expect(main.getByRole("button", { name: "Save" })).toHaveCount(0);
  await expect(main.getByRole("row"), "what was found is still there").toHaveCount(2);
  await row.getByRole("link", { name }).click();
  await main.getByLabel(name).fill("many");
  await main.getByLabel(name).press("Enter");
  await expect(page.getByRole("alert")).toContainText("Type a whole number from 1 to 100.");
  await expect(main.getByLabel(name)).toHaveValue("many");
  await expect(row).not.toContainText("changed");
  await expectFits();
  await expectAccessible();
  await main.getByLabel(name).fill("3");
  await main.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/vendor\/settings\/all\?said=saved#maxRegistrationsPerUser$/);
  await expect(main.getByText("Saved.")).toBeVisible();
  await expect(row.getByRole("cell").last()).toHaveText(/^3\s+changed$/);
  await row.getByRole("link", { name }).click();
  await main.getByLabel(name).fill("1");
  await main.getByRole("button", { name: "Save" }).click();
  await expect(row.getByRole("cell").last()).toHaveText("1");

  // A switch has two choices.
  const lets = main.getByRole("row").filter({ hasText: "enableGetLatestVersionHttp" });
  for (const [value, stands] of [["true", /^true\s+changed$/], ["false", "false"]] as const) {
    await lets.getByRole("link", { name: "enableGetLatestVersionHttp" }).click();
    await main.getByLabel("enableGetLatestVersionHttp").selectOption(value);
    await main.getByRole("button", { name: "Save" }).click();
    await expect(lets.getByRole("cell").last()).toHaveText(stands);
  }

  // What it was before stands in the history, as every change does.
  await page.goto(`${alone.url}/vendor/settings`);
  await expect(main.getByRole("listitem").filter({ hasText: "maxRegistrationsPerUser: 1 → 3" })).toContainText("changed settings");
});

test("a secret among the settings is typed, said to be set, and shown to nobody", async ({ page, alone, asOwner, expectAccessible, expectFits }) => {
  await asOwner(alone);
  const name = "smsAuthenticationToken";
  const token = `a token of the ${test.info().project.name}`;
  alone.secret(token);
  await page.goto(`${alone.url}/vendor/settings/all?q=${name}`);
  const main = page.getByRole("main");
  const row = main.getByRole("row").filter({ hasText: name });
  const save = async () => {
    await main.getByRole("button", { name: "Save" }).click();
    await expect(page).toHaveURL(/said=saved/);
  };
  await row.getByRole("link", { name }).click();
  await main.getByLabel(name).fill(token);
  await save();
  await expect(row.getByRole("cell").last()).toHaveText("set");
  await row.getByRole("link", { name }).click();
  await expect(main.getByLabel(name)).toHaveValue("");
  expect(await page.content()).not.toContain(token);
  await expectFits();
  await expectAccessible();
  await save();
  await expect(row.getByRole("cell").last()).toHaveText("set");
  await row.getByRole("link", { name }).click();
  await main.getByLabel("Take the present one away").check();
  await save();
  await expect(row.getByRole("cell").last()).toHaveText("not set");
});
