// See script/clients: a portal with what the clients are to work with.

import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { OwnPortal } from "./portal.mjs";
import { Provider } from "./provider.mjs";

const [python, schemathesis] = process.argv.slice(2);
// The sign-in provider of this test is on this machine.
const portal = await OwnPortal.start({ env: { COUNTERSIGN_PRIVATE_NETWORKS: "allow" } });
process.once("exit", () => portal.server.kill("SIGKILL"));

const product = "press";
await portal.cli(["product", "add", product, "--name", "Press Designer", "--auth", "both", "--trial-days", "30", "--min-hold-hours", "0", "--trust-v1-deactivation", "true"]);
await portal.cli(["feature", "add", product, "jobs", "--name", "Jobs", "--type", "consumption"]);
await portal.cli(["feature", "add", product, "render", "--name", "Render", "--type", "activation"]);
for (const version of ["4.1", "4.2"]) await portal.cli(["version", "add", product, version, "--released", "2026-01-15", "--url", `https://example.com/press-${version}.bin`]);
const key = await portal.cli(["api-key", "add", "Press Designer"]);
const { licenses } = await portal.cli(["license", "issue", "--product", product, "--seats", "9", "--type", "consumption", "--max-consumption", "10", "--feature", "jobs=5"]);
const floating = await portal.cli(["license", "issue", "--product", product, "--seats", "unlimited", "--floating", "1", "--borrow-hours", "24", "--floating-feature", "render=1"]);
await portal.cli(["product", "add", "write", "--name", "Writer"]);
await portal.cli(["bundle", "add", "office", "--name", "Office", "--product", product, "--product", "write"]);
const bundle = await portal.cli(["license", "issue", "--product", "office", "--seats", "3"]);
const user = "bob@customer.example";
const password = "the first password of bob";
await portal.cli(["license", "issue", "--product", product, "--seats", "2", "--user", user, "--user-password-stdin"], password);
const account = "acme";
const provider = await Provider.start("carl@acme.example", "press-designer", "the secret of this client");
await portal.cli(["license", "issue", "--product", product, "--customer", "it@acme.example", "--user", provider.email]);
await portal.cli(["customer-account", "add", account, "--name", "ACME Inc."]);
await portal.cli(["customer", "account", "it@acme.example", account]);
const sso = ["--issuer", provider.issuer, "--client-id", provider.clientId, "--redirect-uri", "http://127.0.0.1:9/back", "--secret-stdin"];
await portal.cli(["customer-account", "sso", account, ...sso], provider.secret);
const [seal] = await portal.cli(["keys", "export", "--use", "licensespring", "--format", "pem"]);

const { binary, dataDir } = portal.place;
const given = { command: [binary, "--data-dir", dataDir], domain: new URL(portal.url).host, api_key: key.api_key, shared_key: key.shared_key, public_key: seal.pem, product, key: licenses[0].key, floating_key: floating.licenses[0].key, bundle: "office", bundle_key: bundle.licenses[0].key, account, account_user: provider.email, user, password, new_password: "another password of bob" };

/** Runs a program while this one goes on answering, and returns how it ended. */
const run = (program, args, options, input = "") =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, options).on("error", reject).on("close", resolve);
    child.stdin?.end(input);
    child.stdout?.resume();
  });
const driven = await run(python, ["tests/clients/drive_licensespring.py"], { stdio: ["pipe", "inherit", "inherit"] }, JSON.stringify(given));

// Calls of chance: none may end in a fault of ours, in a status the document does not name, or in a body it does not describe.
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance";
const chance = async () => {
  const har = path.join(portal.place.dataDir, "chance.har");
  const options = ["--checks", checks, "--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "1", "--no-color", "--warnings", "off", "--report", "har", "--report-har-path", har];
  const status = await run(schemathesis, ["run", `${portal.url}/api/v4/openapi.json`, "--url", portal.url, ...options], {
    env: { ...process.env, PYTHONPATH: "tests/clients", SCHEMATHESIS_HOOKS: "sign_calls", COUNTERSIGN_GIVEN: JSON.stringify(given) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Calls that all end at the door would try nothing behind it.
  const { entries } = JSON.parse(fs.readFileSync(har, "utf8")).log;
  const answered = new Map();
  for (const { request, response } of entries) {
    const { pathname } = new URL(request.url);
    if (response.status === 200) answered.set(pathname, (answered.get(pathname) ?? 0) + 1);
  }
  // A file of chance has no signature, and a password of chance opens nothing.
  const closed = ["/api/v4/activate_offline", "/api/v4/deactivate_offline", "/api/v4/activate_bundle_offline", "/api/v4/deactivate_bundle_offline", "/api/v4/change_password", "/api/v4/oauth_token"];
  const asked = new Set(entries.map(({ request }) => new URL(request.url).pathname));
  const never = [...asked].filter((path) => !answered.has(path) && !closed.includes(path));
  console.error(`  calls of chance: ${entries.length}, answered by 200 on ${answered.size} of ${asked.size} paths`);
  if (never.length > 0) console.error(`  no call of chance was answered by ${never.join(", ")}: they are not signed, or name nothing that is there`);
  return status !== 0 ? status : never.length;
};
for (const setting of ["customerLicenseUsers", "deviceLicenses"]) await portal.cli(["setting", "set", setting, "true"]);
const status = driven === 0 ? await chance() : driven;
provider.stop();
if (status !== 0) console.error(portal.log().split("\n").filter((line) => /ERROR|WARN/.test(line)).slice(-20).join("\n"));
await portal.stop();
portal.remove();
process.exitCode = status ?? 1;
