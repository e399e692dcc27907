import { randomBytes } from "node:crypto";
import { OwnPortal, type Portal } from "../../script/lib/portal.mjs";
import { licenseSpring, type Sample } from "./sample.ts";

const limits = { signInTries: "1000", activationsPerMinute: "1000000", keepRefusalsDays: "400" };

/** A portal of its own with one owner and one product, and with limits so wide that tests do not stand in each other's way. */
export async function seeded(): Promise<{ portal: OwnPortal; sample: Sample }> {
  const portal = await OwnPortal.start();
  const owner = { email: "owner@vendor.example", password: `correct horse ${randomBytes(6).toString("hex")}` };
  try {
    portal.secret(owner.email, owner.password);
    await portal.cli(["user", "add", owner.email, "--role", "owner"], owner.password);
    await portal.cli(["product", "add", "PRESS4", "--name", "Press Designer 4", "--number", "4", "--version", "4.0"]);
    const sample: Sample = { place: portal.place, owner, product: "PRESS4", cookie: await cookieOf(portal, owner) };
    await settings(sample, limits);
    return { portal, sample };
  } catch (error) {
    await portal.stop();
    throw error;
  }
}

/** What the sample files of LicenseSpring's clients were made for. */
export async function seedLicenseSpring(portal: Portal) {
  const { product, key, apiKey, sharedKey, user, userPassword } = licenseSpring;
  portal.secret(key, sharedKey, user, userPassword);
  await portal.cli(["product", "add", product, "--name", "Test Product", "--auth", "both", "--legacy-clients"]);
  // A seat by file is held for a day before a file may release it; a test has not that long.
  await portal.cli(["product", "edit", product, "--min-hold-hours", "0"]);
  await portal.cli(["license", "issue", "--product", product, "--key", key, "--seats", "1000", "--user", user, "--user-password-stdin"], userPassword);
  await portal.cli(["api-key", "add", "sample files", "--api-key", apiKey, "--shared-key-stdin"], sharedKey);
}

/** Signs in as a program would, and returns the session's cookie. Who it is, and the session, are in no log from here on. */
export async function cookieOf(portal: Portal, who: { email: string; password: string }): Promise<string> {
  portal.secret(who.email, who.password);
  const answer = await fetch(`${portal.url}/vendor/sign-in`, { method: "POST", redirect: "manual", body: new URLSearchParams(who) });
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
  if (answer.status !== 303 || !cookie) throw new Error(`Signing in was answered with ${answer.status}.`);
  portal.secret(cookie.slice(cookie.indexOf("=") + 1));
  return cookie;
}

/** Saves the settings page with these values, and with the defaults for all others. */
export async function settings({ place, cookie }: Sample, values: Record<string, string>) {
  const body = new FormData();
  const all = { name: "Countersign", accent: "#0b6464", support: "", remove_logo: "1", ...limits, ...values };
  for (const [name, value] of Object.entries(all)) body.set(name, value);
  const saved = await fetch(`${place.url}/vendor/settings`, { method: "POST", redirect: "manual", headers: { cookie, "sec-fetch-site": "same-origin" }, body });
  if (saved.status !== 303) throw new Error(`The settings were not saved: ${saved.status}`);
}

/** Ends a portal; throws when it did not end well, or its log has what no log may have. */
export async function finish(portal: OwnPortal): Promise<string> {
  const code = await portal.stop();
  const { found, searched, bytes } = portal.leaks();
  if (code !== 0) throw new Error(`The server ended with ${code} after SIGTERM:\n${portal.log().slice(-4000)}`);
  if (/\bpanicked at\b/.test(portal.log())) throw new Error(`The server panicked; its log is ${portal.place.logFile}`);
  if (found.length > 0) throw new Error(`The log (${portal.place.logFile}) has what no log may have:\n${found.join("\n")}`);
  if (searched < 3 || bytes < 1000) throw new Error(`The search for secrets in the log proves nothing: ${searched} secrets, ${bytes} bytes of log.`);
  portal.remove();
  return `The log of the suite (${bytes} bytes at trace level) has none of its ${searched} secrets.`;
}
