// See script/bench. Each figure is a function of its own and leaves nothing behind.

import { spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { OwnPortal } from "./portal.mjs";

const figures = { bytes, start, memory, island, files, activations, calls, qlm };
// How to see where the time goes, beside each limit that is missed.
const missed = [];
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
if (missed.length > 0) process.exitCode = 1;

async function bytes() {
  const { status } = spawnSync("node", ["script/lib/budget.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
  verdict(status === 0, "bytes of a first visit, weighed above", "script/budget names each file; npx source-map-explorer and twiggy say what is inside");
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
    while (!(await fetch(`${url}/healthz`).then((answer) => answer.ok, () => false))) {
      if (server.exitCode !== null) throw new Error(`The server ended with ${server.exitCode} while it started: run it by hand to see why.`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    times.push(performance.now() - began);
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
  }
  portal.remove();
  report("ready after its start, existing data", median(times), 300, "ms", { mend: `RUST_LOG=countersign=debug ${binary} serve --data-dir … tells each step with its time` });
}

// What the kernel counts as resident, after a few pages and five seconds of rest.
async function memory() {
  const portal = await quiet();
  for (const page of ["/", "/activate", "/offline", "/inspect"]) await (await fetch(portal.url + page)).text();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const status = fs.readFileSync(`/proc/${portal.server.pid}/status`, "utf8");
  report("resident memory, idle", Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024, 48, "MB", { mend: `heaptrack ${portal.place.binary} serve, or pmap -x of the process` });
  await portal.stop();
  portal.remove();
}

// A browser for measurements: nothing of it loads anything by itself.
function chromium() {
  const { chromium } = createRequire(path.resolve("end2end/package.json"))("@playwright/test");
  return chromium.launch({ executablePath: process.env.COUNTERSIGN_CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"] });
}

// From the start of the navigation to islands that answer; nothing cached; the median of nine.
async function island() {
  const portal = await quiet();
  const browser = await chromium();
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
  report("/offline answers input after navigation began", median(times), 300, "ms", { mend: "Chromium's Performance panel on /offline, with the network throttled to what customers have" });
}

// 200 requests of 200 machines, each signed by a key of its own, from the drop on the page to the last card's verdict; the median of
// five pages.
async function files() {
  const portal = await quiet();
  await portal.cli(["product", "add", "bench", "--name", "Bench"]);
  const { licenses } = await portal.cli(["license", "issue", "--product", "bench", "--seats", "unlimited"]);
  const texts = [];
  for (let batch = 0; batch < 25; batch++) {
    const made = Array.from({ length: 8 }, (_, place) => {
      const device = `bench-${batch * 8 + place}`;
      const key = path.join(portal.place.dataDir, `${device}.key`);
      return portal.cli(["request", "--product", "bench", "--key", licenses[0].key, "--device-id", device, "--device-name", device, "--device-key", key]);
    });
    texts.push(...(await Promise.all(made)).map(({ request }) => request));
  }
  if (new Set(texts).size !== 200) throw new Error("The requests are not 200 different ones.");
  const browser = await chromium();
  const times = [];
  for (let round = 0; round < 5; round++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${portal.url}/offline`);
    await page.waitForSelector("html[data-awake]");
    // The portal's keys are fetched while a customer looks for the files.
    await page.waitForLoadState("networkidle");
    const { took, ready } = await page.evaluate((texts) => {
      const data = new DataTransfer();
      for (const [place, text] of texts.entries()) data.items.add(new File([text], `machine-${place}.req`));
      const bench = document.querySelector(".bench");
      const status = bench.querySelector("[role=status]");
      return new Promise((resolve) => {
        let began = 0;
        new MutationObserver((_, observer) => {
          if (!status.textContent.startsWith(`${texts.length} files were read.`)) return;
          const took = performance.now() - began;
          observer.disconnect();
          resolve({ took, ready: [...bench.querySelectorAll("article")].filter((card) => card.textContent.includes("Ready to send")).length });
        }).observe(status, { childList: true, characterData: true, subtree: true });
        began = performance.now();
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
      });
    }, texts);
    if (ready !== 200) throw new Error(`${ready} of 200 requests passed their checks in the browser: what was measured is not what was meant.`);
    times.push(took);
    await context.close();
  }
  await browser.close();
  await portal.stop();
  portal.remove();
  report("200 request files parsed and checked in the browser", median(times), 1000, "ms", { mend: "Chromium's Performance panel while 200 files are dropped on /offline" });
}

// Durable activations through HTTP on SQLite, 64 connections, every request a device of its own; beside them, on the same disk in
// the same run, the same rows written by the same statements in batches of 64 with nothing else. Medians of three.
async function activations() {
  const leastRate = 2000;
  const rates = [];
  const slowest = [];
  const bare = [];
  for (let round = 0; round < 3; round++) {
    const portal = await quiet();
    const options = { encoding: "utf8", env: { ...process.env, COUNTERSIGN_DATA_DIR: portal.place.dataDir } };
    const cli = (...args) => {
      const { status, stdout, stderr } = spawnSync(portal.place.binary, [...args, "--json"], options);
      if (status !== 0) throw new Error(`countersign ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
      return stdout;
    };
    cli("setting", "set", "activationsPerMinute", "1000000");
    cli("product", "add", "bench", "--name", "Bench");
    const issued = JSON.parse(cli("license", "issue", "--product", "bench", "--seats", "unlimited"));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const key = issued.licenses[0].key;
    const load = spawnSync("wrk", wrk(portal), { encoding: "utf8", env: { ...process.env, COUNTERSIGN_BENCH_KEY: key } });
    if (load.status !== 0) throw new Error(`wrk ended with ${load.status ?? load.error?.message}: ${load.stderr}`);
    if (portal.server.exitCode !== null) throw new Error(`The server ended with ${portal.server.exitCode} under load:\n${portal.log().slice(-4000)}`);
    if (/status \d/.test(load.stderr)) throw new Error(`Some activations were refused: ${load.stderr}`);
    // A request that failed or took too long is missing from the rate and from the slowest hundredth alike.
    const errors = /Socket errors:.*|Non-2xx.*/.exec(load.stdout);
    if (errors) throw new Error(`Some activations were not answered. ${errors[0]}`);
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(load.stdout);
    const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(load.stdout);
    if (!rate || !p99) throw new Error(`wrk says something else than expected:\n${load.stdout}`);
    rates.push(Number(rate[1]));
    slowest.push(Number(p99[1]) * { us: 0.001, ms: 1, s: 1000 }[p99[2]]);
    if (round === 2 && median(rates) < leastRate) await profile(portal, key);
    await portal.stop();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "countersign-rows-"));
    const rows = spawnSync(portal.place.binary.replace(/countersign$/, "examples/rows"), [folder], { encoding: "utf8" });
    if (rows.status !== 0) throw new Error(`The bare rows were not written: ${rows.stderr}`);
    bare.push(Number(rows.stdout));
    fs.rmSync(folder, { recursive: true });
    portal.remove();
  }
  const mend = "perf record -g -p of the server while script/bench activations runs, then perf report; samply does the same";
  report("durable activations through HTTP", median(rates), leastRate, "a second", { least: true, mend });
  report("99 of 100 are answered within", median(slowest), 80, "ms", { mend });
  report("against the bare rows in batches of 64", median(rates) / median(bare), 0.5, `of ${median(bare).toFixed(0)} a second`, { least: true, mend });
}

// LicenseSpring's calls on SQLite, 64 connections. Checks of a thousand machines whose licenses have not changed, beside /healthz of
// the same server; activations, each with two RSA-4096 signatures, beside as many signatures as the cores can make with nothing else;
// and checks while the form is activated at full speed. Medians of three.
async function calls() {
  const machines = 1_000;
  const [checks, health, activated, raw, slowest, memory] = [[], [], [], [], [], []];
  for (let round = 0; round < 3; round++) {
    const portal = await quiet();
    await portal.cli(["setting", "set", "activationsPerMinute", "1000000"]);
    await portal.cli(["product", "add", "bench", "--name", "Bench"]);
    const issued = await portal.cli(["license", "issue", "--product", "bench", "--seats", "unlimited", "--customer", "it@acme.example"]);
    const key = issued.licenses[0].key;
    // Activations of the checked license would change every answer: each would be the first check of a changed license, a signature.
    const other = (await portal.cli(["license", "issue", "--product", "bench", "--seats", "unlimited"])).licenses[0].key;
    const credentials = await portal.cli(["api-key", "add", "bench"]);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const date = new Date().toUTCString();
    const signature = createHmac("sha256", credentials.shared_key).update(`licenseSpring\ndate: ${date}`).digest("base64");
    const authorization = `algorithm="hmac-sha256",headers="date",signature="${signature}",apiKey="${credentials.api_key}"`;
    const call = async (machine) => {
      const body = JSON.stringify({ product: "bench", license_key: key, hardware_id: `machine-${machine}` });
      const answer = await fetch(`${portal.url}/api/v4/activate_license`, { method: "POST", headers: { date, authorization }, body });
      if (!answer.ok) throw new Error(`A machine was not activated: ${await answer.text()}`);
    };
    for (let first = 1; first <= machines; first += 50) await Promise.all(Array.from({ length: 50 }, (_, place) => call(first + place)));
    const env = {
      COUNTERSIGN_BENCH_DATE: date, COUNTERSIGN_BENCH_AUTHORIZATION: authorization, COUNTERSIGN_BENCH_MACHINES: String(machines), COUNTERSIGN_BENCH_KEY: key,
      COUNTERSIGN_BENCH_PATH: `/api/v4/check_license?product=bench&license_key=${key}&hardware_id=machine-`,
    };
    const check = ["-s", "script/lib/checks.lua"];
    // Until each machine was answered once: a first answer is a signature.
    await load(portal, ["-t1", "-c64", "-d8s", ...check], env);
    checks.push((await load(portal, ["-t1", "-c64", "-d6s", "--latency", ...check], env)).rate);
    health.push((await load(portal, ["-t1", "-c64", "-d4s", "--latency"], env, "/healthz")).rate);
    activated.push((await load(portal, ["-t1", "-c64", "-d6s", "--latency", "-s", "script/lib/activate.lua"], { ...env, COUNTERSIGN_BENCH_KEY: other })).rate);
    const beside = load(portal, ["-t1", "-c64", "-d7s", "--latency", "-s", "script/lib/activations.lua"], { ...env, COUNTERSIGN_BENCH_KEY: other });
    await new Promise((resolve) => setTimeout(resolve, 500));
    slowest.push((await load(portal, ["-t1", "-c4", "-d6s", "--latency", ...check], env)).p99);
    await beside;
    const status = fs.readFileSync(`/proc/${portal.server.pid}/status`, "utf8");
    memory.push(Number(/^VmHWM:\s+(\d+)/m.exec(status)[1]) / 1024);
    await portal.stop();
    const signing = spawnSync(portal.place.binary.replace(/countersign$/, "examples/signatures"), { encoding: "utf8" });
    if (signing.status !== 0) throw new Error(`The bare signatures were not made: ${signing.stderr}`);
    raw.push(Number(signing.stdout));
    portal.remove();
  }
  const mend = "perf record -g -p of the server while script/bench calls runs, then perf report";
  report("license checks, signed and warm", median(checks), 10_000, "a second", { least: true, mend });
  report("against /healthz", median(checks) / median(health), 0.25, `of ${median(health).toFixed(0)} a second`, { least: true, mend });
  report("activations by LicenseSpring's API, two signatures each, against bare signatures", median(activated) / median(raw), 0.4, `of ${median(raw).toFixed(0)} a second (${median(activated).toFixed(0)})`, { least: true, mend });
  report("99 of 100 checks beside activations at full speed are answered within", median(slowest), 20, "ms", { mend });
  report("resident memory, at most", median(memory), 96, "MB", { mend: "heaptrack of the server under the same load" });
}

// Quick License Manager's methods on SQLite, 64 connections: orders, each with a number and a key of its own, durable; validations of a
// thousand machines that are active, beside /healthz of the same server. A document holds the minute, so that each machine costs a
// signature a minute. Medians of three.
async function qlm() {
  const machines = 1_000;
  const password = "a password for the bench";
  const [ordered, validated, health] = [[], [], []];
  for (let round = 0; round < 3; round++) {
    const portal = await quiet();
    for (const [name, value] of [["activationsPerMinute", "1000000"], ["enableGetActivationKey", "true"]]) await portal.cli(["setting", "set", name, value]);
    await portal.cli(["product", "add", "bench", "--name", "Bench", "--number", "1"]);
    await portal.cli(["extension", "add", "woocommerce", "--user", "shop", "--password-stdin"], password);
    const { licenses } = await portal.cli(["license", "issue", "--product", "bench", "--seats", "unlimited"]);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const service = "/qlm/qlmservice.asmx";
    const order = new URLSearchParams({ is_vendor: "woocommerce", is_user: "shop", is_pwd: password, is_productid: "1", is_majorversion: "1", is_minorversion: "0", is_expduration: "30" });
    const env = { COUNTERSIGN_BENCH_PATH: `${service}/GetActivationKeyWithExpiryDate?${order}` };
    ordered.push((await load(portal, ["-t1", "-c64", "-d6s", "--latency", "-s", "script/lib/orders.lua"], env)).rate);
    const path = `${service}/ValidateLicenseHttp?is_avkey=${licenses[0].key}&is_pcid=machine-`;
    const call = async (machine) => {
      const text = await (await fetch(`${portal.url}${path}${machine}`)).text();
      if (!text.includes("<status>2</status>")) throw new Error(`A machine was not activated: ${text}`);
    };
    for (let first = 1; first <= machines; first += 50) await Promise.all(Array.from({ length: 50 }, (_, place) => call(first + place)));
    const validation = { COUNTERSIGN_BENCH_PATH: path, COUNTERSIGN_BENCH_MACHINES: String(machines) };
    const options = ["-s", "script/lib/validations.lua"];
    // Until each machine was told of under marks.
    await load(portal, ["-t1", "-c64", "-d8s", ...options], validation);
    validated.push((await load(portal, ["-t1", "-c64", "-d6s", "--latency", ...options], validation)).rate);
    health.push((await load(portal, ["-t1", "-c64", "-d4s", "--latency"], validation, "/healthz")).rate);
    await portal.stop();
    portal.remove();
  }
  const mend = "perf record -g -p of the server while script/bench qlm runs, then perf report";
  report("orders by QLM's methods, durable", median(ordered), 1_500, "a second", { least: true, mend });
  report("validations by QLM's methods, signed and warm", median(validated), 8_000, "a second", { least: true, mend });
  report("against /healthz", median(validated) / median(health), 0.25, `of ${median(health).toFixed(0)} a second`, { least: true, mend });
}

// wrk's rate, and its slowest hundredth in milliseconds. Whatever was refused or not answered ends the measurement.
async function load(portal, options, env, path = "") {
  const wrk = spawn("wrk", [...options, portal.url + path], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) wrk[stream].setEncoding("utf8").on("data", (text) => (said[stream] += text));
  const status = await new Promise((resolve, reject) => wrk.once("close", resolve).once("error", reject));
  if (portal.server.exitCode !== null) throw new Error(`The server ended with ${portal.server.exitCode} under load:\n${portal.log().slice(-4000)}`);
  const errors = /status \d+/.exec(said.stderr) ?? /Socket errors:.*|Non-2xx.*/.exec(said.stdout);
  if (status !== 0 || errors) throw new Error(`wrk ${options.join(" ")} ended with ${status}: ${errors ?? said.stderr}`);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(said.stdout);
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(said.stdout);
  return { rate: Number(rate[1]), p99: p99 ? Number(p99[1]) * { us: 0.001, ms: 1, s: 1000 }[p99[2]] : NaN };
}

function wrk(portal) {
  return ["-t1", "-c64", "-d8s", "--latency", "-s", "script/lib/activations.lua", portal.url];
}

// Where the server's time goes under the same load, if `perf` is there to tell.
async function profile(portal, key) {
  const file = path.join(os.tmpdir(), `countersign-${process.pid}.perf`);
  const recording = spawn("perf", ["record", "-g", "-o", file, "-p", String(portal.server.pid), "--", "sleep", "6"], { stdio: "ignore" });
  const ended = new Promise((resolve) => recording.once("exit", resolve).once("error", resolve));
  const load = spawn("wrk", wrk(portal), { stdio: "ignore", env: { ...process.env, COUNTERSIGN_BENCH_KEY: key } });
  const loaded = new Promise((resolve) => load.once("exit", resolve).once("error", resolve));
  if ((await ended) === 0) {
    const { stdout } = spawnSync("perf", ["report", "-i", file, "--stdio", "--no-children", "-g", "none", "--percent-limit", "1"], { encoding: "utf8", maxBuffer: 2 ** 26 });
    console.log(stdout.split("\n").filter((line) => /^\s+\d/.test(line)).slice(0, 25).join("\n"));
    console.log(`  perf report -i ${file} tells more`);
  }
  await loaded;
}

// A log at trace level is for tests; here it would be what is measured. Whatever goes wrong, no server is left behind.
async function quiet() {
  const portal = await OwnPortal.start({ env: { RUST_LOG: "warn" } });
  process.once("exit", () => portal.server.kill("SIGKILL"));
  return portal;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function report(what, value, limit, unit, { least = false, mend }) {
  const good = least ? value >= limit : value <= limit;
  verdict(good, `${what}: ${value.toFixed(value < 100 ? 1 : 0)} ${unit} (${least ? "at least" : "at most"} ${limit})`, mend);
}

function verdict(good, sentence, mend) {
  console.log(`${good ? "✓" : "✗"} ${sentence}`);
  if (good) return;
  missed.push(sentence);
  console.log(`  To see why: ${mend}`);
}
