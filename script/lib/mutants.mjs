// See script/mutants.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const onlyFit = process.argv[2] === "--check";
const words = process.argv.slice(onlyFit ? 3 : 2);
const folder = "script/mutants.d";
const chosen = fs.readdirSync(folder).filter((name) => !name.startsWith(".") && (words.length === 0 || words.some((word) => name.includes(word)))).sort();
if (chosen.length === 0) stop("No break has such a name.");
const breaks = chosen.map((name) => read(name, fs.readFileSync(path.join(folder, name), "utf8")));

if (onlyFit) {
  const unfit = breaks.filter(({ file, find }) => fs.readFileSync(file, "utf8").split(find).length !== 2);
  if (unfit.length > 0) stop(`What these would replace does not occur exactly once any more: ${unfit.map(({ name }) => name).join(", ")}`);
  console.error(`${breaks.length} breaks fit the sources.`);
  process.exit();
}

// Always the same folder, so that what cargo has compiled for it once serves again. Not below this one: cargo would add this one's
// configuration to the worktree's own, and flags that are there twice are other flags, for which everything is compiled anew.
const tree = path.join(os.tmpdir(), `countersign-mutants-${createHash("sha256").update(path.resolve()).digest("hex").slice(0, 12)}`);
spawnSync("git", ["worktree", "remove", "--force", tree]);
execFileSync("git", ["worktree", "add", "--detach", "--quiet", tree, "HEAD"]);
// The site and npm's packages are not part of what is broken.
for (const shared of ["node_modules", "end2end/node_modules", "target/site"]) {
  if (!fs.existsSync(shared)) continue;
  fs.mkdirSync(path.dirname(path.join(tree, shared)), { recursive: true });
  fs.symlinkSync(path.resolve(shared), path.join(tree, shared));
}
const environment = { ...process.env, CARGO_TARGET_DIR: path.resolve(process.env.CARGO_TARGET_DIR ?? "target") };
process.on("exit", () => {
  spawnSync("git", ["worktree", "remove", "--force", tree]);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

// A test that is red anyway notices nothing: each command must pass before anything is broken.
for (const test of new Set(breaks.map(({ test }) => test))) {
  const { passed, output } = run(test);
  if (!passed) stop(`Nothing is broken yet, but this fails: ${test}\n${output.slice(-3000)}`);
}

const survived = [];
for (const { name, why, file, find, put, test } of breaks) {
  const broken = path.join(tree, file);
  const whole = fs.readFileSync(broken, "utf8");
  const times = whole.split(find).length - 1;
  if (times !== 1) {
    survived.push(name);
    console.log(`✗ ${name}: what it would replace occurs ${times} times in ${file}`);
    continue;
  }
  fs.writeFileSync(broken, whole.replace(find, () => put));
  const { passed, output } = run(test);
  fs.writeFileSync(broken, whole);
  const uncompiled = /could not compile/.test(output);
  if (passed || uncompiled) survived.push(name);
  console.log(passed ? `✗ ${name}: nothing noticed. ${why}` : uncompiled ? `✗ ${name}: does not compile, so it proves nothing\n${output.slice(0, 1500)}` : `✓ ${name}`);
}
console.log(`${breaks.length - survived.length} of ${breaks.length} breaks were noticed.`);
if (survived.length > 0) stop(`Not noticed: ${survived.join(", ")}`);

function run(test) {
  // Cargo tells old from new by time of change, which restoring a file also moves.
  const { status, stdout, stderr } = spawnSync("bash", ["-c", test], { cwd: tree, env: environment, encoding: "utf8", maxBuffer: 2 ** 28, timeout: 20 * 60_000 });
  // Tests that were renamed fit no filter any more: what runs none has nothing to pass.
  const ran = [...stdout.matchAll(/^test result: .* (\d+) passed; (\d+) failed/gm)].reduce((sum, [, passed, failed]) => sum + Number(passed) + Number(failed), 0);
  if (status === 0 && ran === 0) stop(`No test is run by: ${test}`);
  return { passed: status === 0, output: `${stderr}\n${stdout}` };
}

function read(name, text) {
  const fields = { why: [] };
  let last;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const [, field, value] = /^(file|test|find|put):(?: ?(.*))$/.exec(line) ?? [];
    if (field) {
      fields[field] = [value];
      last = field;
    } else if (last && (line.startsWith("  ") || line === "")) {
      fields[last].push(line.slice(2));
    } else if (line.startsWith("#")) {
      fields.why.push(line.slice(1).trim());
    } else {
      stop(`${folder}/${name}: this line is neither a field nor indented: ${line}`);
    }
  }
  for (const field of ["file", "test", "find", "put"]) {
    if (!fields[field]) stop(`${folder}/${name} has no field \`${field}\`.`);
  }
  const { why, file, test, find, put } = Object.fromEntries(Object.entries(fields).map(([field, lines]) => [field, lines.join(field === "why" ? " " : "\n")]));
  return { name, why, file, test, find, put };
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
