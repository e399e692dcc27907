// See script/clients: a portal with what the clients are to work with.

import { spawnSync } from "node:child_process";
import { OwnPortal } from "./portal.mjs";

const python = process.argv[2];
const portal = await OwnPortal.start();
process.once("exit", () => portal.server.kill("SIGKILL"));

const product = "press";
await portal.cli(["product", "add", product, "--name", "Press Designer", "--trial-days", "30"]);
await portal.cli(["feature", "add", product, "jobs", "--name", "Jobs", "--type", "consumption"]);
await portal.cli(["feature", "add", product, "render", "--name", "Render", "--type", "activation"]);
for (const version of ["4.1", "4.2"]) await portal.cli(["version", "add", product, version, "--released", "2026-01-15", "--url", `https://example.com/press-${version}.bin`]);
const key = await portal.cli(["api-key", "add", "Press Designer"]);
const { licenses } = await portal.cli(["license", "issue", "--product", product, "--seats", "9", "--type", "consumption", "--max-consumption", "10", "--feature", "jobs=5"]);
const floating = await portal.cli(["license", "issue", "--product", product, "--seats", "unlimited", "--floating", "1", "--borrow-hours", "24", "--floating-feature", "render=1"]);
const user = "bob@customer.example";
const password = "the first password of bob";
await portal.cli(["license", "issue", "--product", product, "--seats", "2", "--user", user, "--user-password-stdin"], password);
const [seal] = await portal.cli(["keys", "export", "--use", "licensespring", "--format", "pem"]);

const given = { domain: new URL(portal.url).host, api_key: key.api_key, shared_key: key.shared_key, public_key: seal.pem, product, key: licenses[0].key, floating_key: floating.licenses[0].key, user, password, new_password: "another password of bob" };
const { status } = spawnSync(python, ["tests/clients/drive_licensespring.py"], { input: JSON.stringify(given), stdio: ["pipe", "inherit", "inherit"] });
if (status !== 0) console.error(portal.log().split("\n").filter((line) => /ERROR|WARN/.test(line)).slice(-20).join("\n"));
await portal.stop();
portal.remove();
process.exitCode = status ?? 1;
