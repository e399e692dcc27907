// Holds what deny.toml says of licenses, banned crates and sources, with nothing but cargo itself.

import { execFileSync } from "node:child_process";
import fs from "node:fs";

const rules = fs.readFileSync("deny.toml", "utf8").replace(/^\s*#.*$/gm, "");
const strings = (text) => [...text.matchAll(/"([^"]+)"/g)].map(([, value]) => value);
const allowed = new Set(strings(/^allow = \[([^\]]*)\]/m.exec(rules)[1]));
const exceptions = new Map([...rules.matchAll(/\{ allow = \[([^\]]*)\], crate = "([^"]+)" \}/g)].map(([, licenses, name]) => [name, new Set(strings(licenses))]));
const banned = new Set([...rules.matchAll(/\{ crate = "([^"]+)" \}/g)].map(([, name]) => name));

const metadata = JSON.parse(execFileSync("cargo", ["metadata", "--format-version", "1", "--all-features", "--locked"], { maxBuffer: 2 ** 28 }));
const workspace = new Set(metadata.workspace_members);
const complaints = [];
const registries = new Set();
const usedExceptions = new Set();
for (const { id, name, version, license, source } of metadata.packages) {
  if (workspace.has(id)) continue;
  const complain = (what) => complaints.push(`${name} ${version}: ${what}`);
  if (banned.has(name)) complain("is banned");
  if (!source?.startsWith("registry+")) complain(`does not come from the registry but from ${source ?? "a folder"}`);
  registries.add(source);
  const may = (id) => {
    if (allowed.has(id)) return true;
    if (!exceptions.get(name)?.has(id)) return false;
    usedExceptions.add(name);
    return true;
  };
  if (!license) complain("states no license");
  else if (!satisfied(license, may)) complain(`its license is not allowed: ${license}`);
}
if (registries.size > 1) complaints.push(`more than one registry: ${[...registries].join(", ")}`);
for (const name of exceptions.keys()) {
  if (!usedExceptions.has(name)) complaints.push(`deny.toml has an exception for ${name}, which needs none`);
}

if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  process.exit(1);
}
console.error(`${metadata.packages.length - workspace.size} packages, one source, every license allowed.`);

// An SPDX expression, also in its old form with a slash: OR binds weaker than AND, AND weaker than WITH.
function satisfied(expression, may) {
  const tokens = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g);
  const either = () => {
    let holds = both();
    while (tokens[0] === "OR") { tokens.shift(); const other = both(); holds = holds || other; }
    return holds;
  };
  const both = () => {
    let holds = one();
    while (tokens[0] === "AND") { tokens.shift(); const other = one(); holds = holds && other; }
    return holds;
  };
  const one = () => {
    const token = tokens.shift();
    if (token === "(") {
      const holds = either();
      tokens.shift();
      return holds;
    }
    if (tokens[0] !== "WITH") return may(token);
    tokens.shift();
    return may(`${token} WITH ${tokens.shift()}`);
  };
  return either();
}
