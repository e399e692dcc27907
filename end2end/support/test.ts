import { createPublicKey, verify } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test as base, expect, type Browser, type BrowserContext, type Page, type Request, type Response as Answer } from "@playwright/test";
import { AxeBuilder } from "@axe-core/playwright";
import { Portal } from "../../script/lib/portal.mjs";
import type { Sample } from "./sample.ts";
import { finish, seeded } from "./seed.ts";

export { expect };

interface Fixtures {
  sample: Sample;
  portal: TestPortal;
  /** Names a refusal this test provokes and must meet; any other line of a browser's error console fails the test. */
  expectStatus: (status: number, path: string | RegExp) => void;
  /** A portal of this test's own. */
  fresh: TestPortal;
  /** Signs a member of the vendor's staff in by the form. */
  signIn: (who?: { email: string; password: string }, at?: string) => Promise<void>;
  /** Gives the browser the owner's session, without the form. */
  asOwner: (of?: TestPortal) => Promise<void>;
  /** axe finds nothing on this page, in light and in dark. */
  expectAccessible: (page?: Page) => Promise<void>;
  /** Nothing has to be scrolled sideways to be read. */
  expectFits: (page?: Page) => Promise<void>;
  /** Waits until the islands of the page are alive; at once where there is no JavaScript or no island. */
  awake: (page?: Page) => Promise<void>;
}

/** The suite's portal, with what tests ask of it most. */
export class TestPortal extends Portal {
  constructor(readonly sample: Sample) {
    super(sample.place);
    known.set(this.url, this);
  }

  /** A command. The addresses, keys and passwords that go in and come out are in no log from here on. */
  override async tryCli(args: string[], input = "") {
    this.secret(...args.filter(isAddress), ...args.filter((_, place) => args[place - 1] === "--key"));
    if (input) this.secret(input.trim());
    const done = await super.tryCli(args, input);
    this.secret(...secretsIn(done.answer));
    return done;
  }

  /** Issues one license and returns its key. */
  async issue(...options: string[]): Promise<string> {
    const product = options.includes("--product") ? [] : ["--product", this.sample.product];
    const { licenses } = await this.cli(["license", "issue", ...product, ...options]);
    return licenses[0].key;
  }

  /** Makes a request file as an app would, and returns its path. The device's own key is kept beside it for the next one. */
  async request(key: string, deviceId: string, ...options: string[]): Promise<string> {
    const folder = this.folder();
    const file = path.join(folder, "activate.req");
    const product = options.includes("--product") ? [] : ["--product", this.sample.product];
    await this.cli(["request", ...product, "--key", key, "--device-id", deviceId, "--device-key", path.join(folder, "device.key"), "-o", file, ...options]);
    return file;
  }

  /** What the checker says of a file, with the portal's own keys. */
  async verify(file: string): Promise<{ kind: string; genuine: boolean | null; checks: { code: string; verdict: string }[]; content: Record<string, unknown> }> {
    return this.cli(["verify", file]);
  }

  /** Who signed a file of ours: the claims it makes, once node's own Ed25519 and the published keys agree that it is genuine. */
  async claims(text: string): Promise<Record<string, unknown>> {
    const [header, claims, signature] = text.trim().split(".") as [string, string, string];
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const { keys } = (await (await fetch(`${this.url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
    const jwk = keys.find((key) => key.kid === kid);
    expect(jwk, `the key ${kid} is published`).toBeDefined();
    const key = createPublicKey({ key: jwk!, format: "jwk" });
    expect(verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url")), "the signature holds").toBe(true);
    return JSON.parse(Buffer.from(claims, "base64url").toString());
  }

  /** A page or a file as the owner gets it, without a browser. */
  staff(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { cookie: this.sample.cookie, "sec-fetch-site": "same-origin", ...init.headers };
    return fetch(this.url + path, { redirect: "manual", ...init, headers });
  }

  /** A folder of the test's own. */
  folder(): string {
    return fs.mkdtempSync(path.join(path.dirname(this.place.dataDir), "test."));
  }
}

/** The portals this process talks to, by their address. */
const known = new Map<string, TestPortal>();

const isAddress = (text: string) => /^[^@\s]+@[^@\s]+$/.test(text);
const SECRET = /^(key|shared_key|api_key|initial_password|password|token|computer_key|license)$/;

/** What of a command's answer may be in no log: keys, passwords, files, addresses. */
function secretsIn(answer: unknown, name = ""): string[] {
  if (typeof answer === "string") return SECRET.test(name) || isAddress(answer) ? [answer] : [];
  if (Array.isArray(answer)) return answer.flatMap((one) => secretsIn(one, name));
  return answer && typeof answer === "object" ? Object.entries(answer).flatMap(([key, value]) => secretsIn(value, key)) : [];
}

const TYPED = ["key", "email", "password", "current", "customer", "users", "support"];

/** What a browser sends to a portal and gets from it that may be in no log. */
function keepSecrets(context: BrowserContext) {
  const of = (url: string) => (URL.canParse(url) ? known.get(new URL(url).origin) : undefined);
  context.on("request", (request: Request) => {
    if (request.method() !== "POST" || !request.headers()["content-type"]?.startsWith("application/x-www-form-urlencoded")) return;
    const form = new URLSearchParams(request.postData() ?? "");
    of(request.url())?.secret(...TYPED.flatMap((name) => form.getAll(name)).flatMap((text) => text.split(/\r?\n/)).map((text) => text.trim()).filter((text) => text.length > 5));
  });
  context.on("response", (response: Answer) => {
    const token = /^\/(?:activations|offline)\/([\w-]{43})/.exec(new URL(response.url()).pathname)?.[1];
    if (token) of(response.url())?.secret(token);
    void response.headerValue("set-cookie").then((set) => {
      const session = /^__Host-countersign=([\w-]{20,})/.exec(set ?? "")?.[1];
      if (session) of(response.url())?.secret(session);
    }, () => {});
  });
}

/** A portal that no other test is using at the same time, for what changes everything: the brand, the limits, the keys. */
interface WorkerFixtures {
  alone: TestPortal;
}

export const test = base.extend<Fixtures & { guard: void }, WorkerFixtures>({
  alone: [
    async ({}, use) => {
      const { portal, sample } = await seeded();
      try {
        await use(new TestPortal(sample));
      } finally {
        await finish(portal);
      }
    },
    { scope: "worker", timeout: 60_000 },
  ],

  baseURL: async ({ sample }, use) => use(sample.place.url),

  sample: async ({}, use) => use(JSON.parse(process.env.COUNTERSIGN_SAMPLE!)),

  portal: async ({ sample }, use) => use(new TestPortal(sample)),

  fresh: async ({}, use) => {
    const { portal, sample } = await seeded();
    try {
      await use(new TestPortal(sample));
    } finally {
      await finish(portal);
    }
  },

  expectStatus: async ({ context, browser }, use, info) => {
    const expected: Expected[] = [];
    const stops = [watch(context, expected)];
    keepSecrets(context);
    // A second person's browser is watched like the first.
    const make = browser.newContext;
    unwatched.set(browser, make.bind(browser));
    browser.newContext = async (options) => {
      const made = await make.call(browser, options);
      stops.push(watch(made, expected));
      keepSecrets(made);
      return made;
    };
    try {
      await use((status, path) => void expected.push({ status, path, met: false }));
    } finally {
      browser.newContext = make;
    }
    expect(stops.flatMap((stop) => stop()), "the browser's error console").toEqual([]);
    if (info.errors.length === 0) expect(expected.filter(({ met }) => !met), "refusals that were expected and never came").toEqual([]);
  },

  // Every test is guarded, whether it expects refusals or not.
  guard: [async ({ expectStatus: _ }, use) => use(), { auto: true }],

  signIn: async ({ page, sample }, use) => {
    await use(async (who = sample.owner, at = "") => {
      await page.goto(`${at}/vendor/sign-in`);
      await page.getByLabel("E-mail").fill(who.email);
      await page.getByLabel("Password").fill(who.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page).toHaveURL(/\/vendor(?!\/sign-in)/);
    });
  },

  asOwner: async ({ context, portal }, use) => {
    await use(async (of = portal) => {
      await carry(context, of.sample.cookie);
    });
  },

  expectAccessible: async ({ page, browser, javaScriptEnabled, viewport, isMobile }, use) => {
    await use(async (on = page) => {
      // axe is a script itself. Where the test's browser has none, the page as it stands is shown to one that has.
      const context = javaScriptEnabled ? undefined : await (unwatched.get(browser) ?? browser.newContext.bind(browser))({ viewport, isMobile, javaScriptEnabled: true });
      const shown = context ? await copyOf(on, await context.newPage()) : on;
      for (const colorScheme of ["light", "dark"] as const) {
        await shown.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const axe = new AxeBuilder({ page: shown });
        // In the dark only the colours are others.
        const { violations, passes } = await (colorScheme === "light" ? axe.withTags(TAGS) : axe.withRules(["color-contrast"])).analyze();
        const said = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n  ")}`);
        expect(said, `axe, ${colorScheme}, ${on.url()}`).toEqual([]);
        expect(passes.length, "axe looked at something").toBeGreaterThan(0);
      }
      await shown.emulateMedia({ colorScheme: null, reducedMotion: null });
      await context?.close();
    });
  },

  expectFits: async ({ page }, use) => {
    await use(async (on = page) => {
      const { inner, content } = await on.evaluate(() => ({ inner: innerWidth, content: document.documentElement.scrollWidth }));
      expect(content, `${on.url()} is wider than the screen`).toBeLessThanOrEqual(inner);
    });
  },

  awake: async ({ page, javaScriptEnabled }, use) => {
    await use(async (on = page) => {
      if (javaScriptEnabled && (await on.locator("leptos-island").count()) > 0) await on.waitForSelector("html[data-awake]", { timeout: 10_000 });
    });
  },
});

/** Gives a browser a session that was begun without it. */
export async function carry(context: BrowserContext, cookie: string) {
  const [name, value] = cookie.split("=") as [string, string];
  // The name's prefix asks for https; sent it is to 127.0.0.1 all the same, as browsers do.
  await context.addCookies([{ name, value, url: "https://127.0.0.1", httpOnly: true, sameSite: "Lax" }]);
}

// WCAG 2.2 AA, with what came before it, and what axe calls good practice.
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// Its HTML as it stands, with its styles and without its scripts.
async function copyOf(page: Page, copy: Page): Promise<Page> {
  const html = await page.content();
  await copy.route(/\.(js|wasm)$/, (route) => route.abort());
  await copy.route(page.url(), (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: html }));
  await copy.goto(page.url());
  return copy;
}

interface Expected {
  status: number;
  path: string | RegExp;
  met: boolean;
}

/** How a browser makes a context that nobody watches: a copy of a page is cut off from its scripts, which it complains of. */
const unwatched = new WeakMap<Browser, Browser["newContext"]>();

// Chromium reports a refused request as a console error of its own; those the test has named are taken out.
function watch(context: BrowserContext, expected: Expected[]): () => string[] {
  const errors: { text: string; url: string }[] = [];
  const isIt = (one: Expected, status: number, url: string) => {
    const { pathname, search } = URL.canParse(url) ? new URL(url) : { pathname: url, search: "" };
    return one.status === status && (typeof one.path === "string" ? one.path === pathname || one.path === pathname + search : one.path.test(pathname + search));
  };
  context.on("response", (response) => {
    for (const one of expected) one.met ||= isIt(one, response.status(), response.url());
  });
  context.on("console", (message) => {
    if (message.type() === "error") errors.push({ text: message.text(), url: message.location().url });
  });
  context.on("weberror", (error) => void errors.push({ text: `uncaught: ${error.error().stack ?? error.error()}`, url: error.page()?.url() ?? "" }));
  return () =>
    errors
      .filter(({ text, url }) => {
        const status = Number(/the server responded with a status of (\d+)/.exec(text)?.[1]);
        return !expected.some((one) => isIt(one, status, url));
      })
      .map(({ text, url }) => `${text} (${url})`);
}
