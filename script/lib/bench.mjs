// See script/bench. Each figure is a function of its own and leaves nothing behind.

import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { OwnPortal } from "./portal.mjs";

const figures = { bytes, start, memory, island, activations };
const words = process.argv.slice(2);
const unknown = words.filter((word) => !(word in figures));
if (unknown.length > 0) {
  console.error(`No figure is called ${unknown.join(", ")}. There are: ${Object.keys(figures).join(", ")}.`);
  process.exit(2);
}
console.log(`${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}`);
for (const [name, measure] of Object.entries(figures)) {
  if (words.length === 0 || words.includes(name)) await measure();
}

async function bytes() {
  spawnSync("node", ["script/lib/budget.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
}

// From starting the process on a data folder that exists to its first answer; the median of nine.
async function start() {
  const portal = await quiet();
  const { binary, dataDir, url } = portal.place;
  await portal.stop();
  const times = [];
  for (let round = 0; round < 9; round++) {
    const began = performance.now();
    const server = spawn(binary, ["serve", "--addr", new URL(url).host, "--data-dir", dataDir], { stdio: "ignore", env: { ...process.env, RUST_LOG: "info" } });
    while (!(await fetch(`${url}/healthz`).then((answer) => answer.ok, () => false))) await new Promise((resolve) => setTimeout(resolve, 2));
    times.push(performance.now() - began);
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
  }
  portal.remove();
  report("ready after its start, existing data", median(times), 300, "ms");
}

// What the kernel counts as resident, after a few pages and five seconds of rest.
async function memory() {
  const portal = await quiet();
  for (const page of ["/", "/activate", "/offline", "/inspect"]) await (await fetch(portal.url + page)).text();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const status = fs.readFileSync(`/proc/${portal.server.pid}/status`, "utf8");
  report("resident memory, idle", Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024, 48, "MB");
  await portal.stop();
  portal.remove();
}

// From the start of the navigation to islands that answer; nothing cached; the median of nine.
async function island() {
  const { chromium } = createRequire(path.resolve("end2end/package.json"))("@playwright/test");
  const portal = await quiet();
  const browser = await chromium.launch({ executablePath: process.env.COUNTERSIGN_CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"] });
  const times = [];
  for (let round = 0; round < 9; round++) {
    const context = await browser.newContext();
    await context.addInitScript(() => {
      new MutationObserver(() => {
        if ("awake" in document.documentElement.dataset) window.awakeAt ??= performance.now();
      }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-awake"] });
    });
    const page = await context.newPage();
    await page.goto(`${portal.url}/offline`);
    await page.waitForSelector("html[data-awake]");
    times.push(await page.evaluate(() => window.awakeAt));
    await context.close();
  }
  await browser.close();
  await portal.stop();
  portal.remove();
  report("/offline answers input after navigation began", median(times), 300, "ms");
}

// Durable activations through HTTP on SQLite, 64 connections, every request a device of its own; beside them, on the same disk in
// the same run, the same rows written in batches of 64 with nothing else. Medians of three.
async function activations() {
  const rates = [];
  const slowest = [];
  const bare = [];
  for (let round = 0; round < 3; round++) {
    const portal = await quiet();
    const options = { encoding: "utf8", env: { ...process.env, COUNTERSIGN_DATA_DIR: portal.place.dataDir } };
    const cli = (...args) => spawnSync(portal.place.binary, [...args, "--json"], options);
    cli("setting", "set", "activationsPerMinute", "1000000");
    cli("product", "add", "bench", "--name", "Bench");
    const issued = JSON.parse(cli("license", "issue", "--product", "bench", "--seats", "unlimited").stdout);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const load = spawnSync("wrk", ["-t1", "-c64", "-d8s", "--latency", "-s", "script/lib/activations.lua", portal.url], {
      encoding: "utf8", env: { ...process.env, COUNTERSIGN_BENCH_KEY: issued.licenses[0].key },
    });
    if (/status \d/.test(load.stderr)) throw new Error(`Some activations were refused: ${load.stderr}`);
    rates.push(Number(/Requests\/sec:\s+([\d.]+)/.exec(load.stdout)[1]));
    const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(load.stdout);
    slowest.push(Number(p99[1]) * { us: 0.001, ms: 1, s: 1000 }[p99[2]]);
    await portal.stop();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "countersign-rows-"));
    bare.push(Number(spawnSync(portal.place.binary.replace(/countersign$/, "examples/rows"), [folder], { encoding: "utf8" }).stdout));
    fs.rmSync(folder, { recursive: true });
    portal.remove();
  }
  report("durable activations through HTTP", median(rates), 2000, "a second", true);
  report("99 of 100 are answered within", median(slowest), 80, "ms");
  report("against the bare rows in batches of 64", median(rates) / median(bare), 0.5, `of ${median(bare).toFixed(0)} a second`, true);
}

// A log at trace level is for tests; here it would be what is measured.
function quiet() {
  return OwnPortal.start({ env: { RUST_LOG: "warn" } });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function report(what, value, limit, unit, least = false) {
  const good = least ? value >= limit : value <= limit;
  console.log(`${good ? "✓" : "✗"} ${what}: ${value.toFixed(value < 100 ? 1 : 0)} ${unit} (${least ? "at least" : "at most"} ${limit})`);
}
