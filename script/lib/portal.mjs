// Starts the built server on a data folder of its own, for tests and measurements, and talks to its command line.

import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

/**
 * @typedef {object} Place Where a portal runs; plain data, so that it can be handed to another process.
 * @property {string} binary
 * @property {string} url
 * @property {string} dataDir
 * @property {Record<string, string>} env what the server was started with, beside the data folder
 * @property {string} logFile all that the server and the commands wrote to their logs, at trace level
 * @property {string} secretsFile one JSON string a line: what no log may contain
 */

/** A portal that runs, seen from any process. */
export class Portal {
  /** @param {Place} place */
  constructor(place) {
    this.place = place;
  }

  get url() {
    return this.place.url;
  }

  /**
   * Runs a command beside the server and returns what it printed under `--json`.
   * @param {string[]} args
   * @param {string} [input] for stdin
   * @returns {Promise<any>}
   */
  async cli(args, input = "") {
    const { code, answer, stderr } = await this.tryCli(args, input);
    if (code !== 0) throw new Error(`countersign ${args.join(" ")} ended with ${code}: ${JSON.stringify(answer)}\n${stderr.slice(-2000)}`);
    return answer;
  }

  /**
   * The same, for commands that may be refused.
   * @param {string[]} args
   * @param {string} [input]
   * @returns {Promise<{ code: number, answer: any, stderr: string }>}
   */
  tryCli(args, input = "") {
    const { binary, dataDir, env, logFile } = this.place;
    return new Promise((resolve, reject) => {
      const options = { env: { ...environment(dataDir), ...env }, maxBuffer: 2 ** 26 };
      const child = execFile(binary, [...args, "--json"], options, (error, stdout, stderr) => {
        if (error && typeof error.code !== "number") return reject(error);
        fs.appendFileSync(logFile, stderr);
        const code = typeof error?.code === "number" ? error.code : 0;
        try {
          resolve({ code, answer: stdout.trim() === "" ? null : JSON.parse(stdout), stderr });
        } catch {
          reject(new Error(`countersign ${args.join(" ")} did not print JSON: ${stdout.slice(0, 500)}\n${stderr.slice(-2000)}`));
        }
      });
      // A command that reads nothing may be gone before all is written.
      child.stdin?.on("error", () => {}).end(input);
    });
  }

  /**
   * From now on no log may contain this.
   * @param {string[]} values
   */
  secret(...values) {
    fs.appendFileSync(this.place.secretsFile, values.map((value) => JSON.stringify(value) + "\n").join(""));
  }
}

/** A portal that this process has started and will stop. */
export class OwnPortal extends Portal {
  /**
   * @param {Place} place
   * @param {import("node:child_process").ChildProcess} server
   */
  constructor(place, server) {
    super(place);
    this.server = server;
  }

  /**
   * Starts the server on an empty data folder and waits until it answers.
   * @param {{ binary?: string, env?: Record<string, string>, args?: string[] }} [options]
   */
  static async start({ binary = process.env.COUNTERSIGN_BINARY, env = {}, args = [] } = {}) {
    if (!binary || !fs.existsSync(binary)) throw new Error(`There is no built server at ${binary ?? "COUNTERSIGN_BINARY"}: script/build --dev makes it.`);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "countersign-portal."));
    const dataDir = path.join(folder, "data");
    const logFile = path.join(folder, "log");
    const secretsFile = path.join(folder, "secrets");
    fs.writeFileSync(secretsFile, "");
    const address = `127.0.0.1:${await freePort()}`;
    const log = fs.openSync(logFile, "a");
    const server = spawn(binary, ["serve", "--addr", address, ...args], { env: { ...environment(dataDir), ...env }, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    const portal = new OwnPortal({ binary, url: `http://${address}`, dataDir, env, logFile, secretsFile }, server);
    const until = Date.now() + 60_000;
    for (;;) {
      if (server.exitCode !== null) throw new Error(`The server ended with ${server.exitCode}:\n${portal.log().slice(-4000)}`);
      if (await fetch(`${portal.url}/healthz`).then((answer) => answer.ok, () => false)) return portal;
      if (Date.now() > until) {
        await portal.stop();
        throw new Error("The server did not answer /healthz within a minute.");
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  log() {
    return fs.readFileSync(this.place.logFile, "utf8");
  }

  /** Asks it to finish, as an operator's service manager does. @returns {Promise<number | null>} its exit code */
  async stop() {
    if (this.server.exitCode !== null) return this.server.exitCode;
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGTERM");
    const patience = setTimeout(() => this.server.kill("SIGKILL"), 20_000);
    const code = await ended;
    clearTimeout(patience);
    return code;
  }

  /** What the logs have of what they may not have; empty when all is well. */
  leaks() {
    const log = this.log();
    const lower = log.toLowerCase();
    const secrets = new Set(fs.readFileSync(this.place.secretsFile, "utf8").split("\n").filter(Boolean).map((line) => String(JSON.parse(line))));
    const found = [];
    for (const secret of secrets) {
      // A key is one however it is written.
      const forms = new Set([secret.toLowerCase(), secret.toLowerCase().replaceAll("-", ""), encodeURIComponent(secret).toLowerCase()]);
      for (const form of forms) {
        const at = form.length < 6 ? -1 : lower.indexOf(form);
        if (at < 0) continue;
        const line = log.slice(log.lastIndexOf("\n", at) + 1, log.indexOf("\n", at) + 1 || undefined);
        found.push(`${secret} in: ${line.trim().slice(0, 400)}`);
        break;
      }
    }
    return { found, searched: secrets.size, bytes: log.length };
  }

  remove() {
    fs.rmSync(path.dirname(this.place.dataDir), { recursive: true, force: true });
  }
}

/** @param {string} dataDir @returns {NodeJS.ProcessEnv} */
function environment(dataDir) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_") && name !== "DATABASE_URL");
  return { ...Object.fromEntries(inherited), COUNTERSIGN_DATA_DIR: dataDir, RUST_LOG: "trace" };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
