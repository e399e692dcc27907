import { randomBytes } from "node:crypto";
import { OwnPortal } from "../../script/lib/portal.mjs";
import { licenseSpring, type Sample } from "./sample.ts";

/** One portal for the whole suite. When all tests are done its log is searched for everything that may not be in it. */
export default async function setUp() {
  const portal = await OwnPortal.start();
  const sample: Sample = {
    place: portal.place,
    owner: { email: "owner@vendor.example", password: `correct horse ${randomBytes(6).toString("hex")}` },
    product: "PRESS4",
  };
  try {
    portal.secret(sample.owner.email, sample.owner.password);
    // The whole suite comes from one address; the limits have tests of their own.
    await portal.cli(["setting", "set", "activationsPerMinute", "1000000"]);
    await portal.cli(["setting", "set", "signInTries", "1000000"]);
    await portal.cli(["user", "add", sample.owner.email, "--role", "owner"], sample.owner.password);
    await portal.cli(["product", "add", sample.product, "--name", "Press Designer 4", "--number", "4", "--version", "4.0"]);
    // What the sample files of LicenseSpring's clients were made for.
    const { product, key, apiKey, sharedKey } = licenseSpring;
    portal.secret(key, sharedKey);
    await portal.cli(["product", "add", product, "--name", "Test Product", "--auth", "both", "--legacy-clients"]);
    await portal.cli(["license", "issue", "--product", product, "--key", key, "--seats", "1000"]);
    await portal.cli(["api-key", "add", "sample files", "--api-key", apiKey, "--shared-key-stdin"], sharedKey);
  } catch (error) {
    await portal.stop();
    throw error;
  }
  process.env.COUNTERSIGN_SAMPLE = JSON.stringify(sample);

  return async () => {
    const code = await portal.stop();
    const { found, searched, bytes } = portal.leaks();
    if (code !== 0) throw new Error(`The server ended with ${code} after SIGTERM:\n${portal.log().slice(-4000)}`);
    if (/\bpanicked at\b/.test(portal.log())) throw new Error(`The server panicked; its log is ${portal.place.logFile}`);
    if (found.length > 0) throw new Error(`The log (${portal.place.logFile}) has what no log may have:\n${found.join("\n")}`);
    if (searched < 3 || bytes < 1000) throw new Error(`The search for secrets in the log proves nothing: ${searched} secrets, ${bytes} bytes of log.`);
    console.log(`The log of the suite (${bytes} bytes at trace level) has none of its ${searched} secrets.`);
    portal.remove();
  };
}
