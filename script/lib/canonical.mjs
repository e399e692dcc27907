// Whether JavaScript prints what it reads: of every answer the tests of `tests/licensespring` were given, and of every line they made
// by chance. LicenseSpring's Node client verifies its own print of an answer, not the answer's bytes.
//
//   node script/lib/canonical.mjs FOLDER

import fs from "node:fs";
import path from "node:path";

const [folder] = process.argv.slice(2);
const answers = fs.readdirSync(path.join(folder, "licensespring")).filter((name) => name.endsWith(".json"));
const lines = fs.readFileSync(path.join(folder, "canonical.jsonl"), "utf8").trimEnd().split("\n");
const texts = [
  ...answers.map((name) => [name, fs.readFileSync(path.join(folder, "licensespring", name), "utf8")]),
  ...lines.map((line, index) => [`line ${index + 1}`, line]),
];
let wrong = 0;
for (const [name, text] of texts) {
  const printed = JSON.stringify(JSON.parse(text));
  if (printed === text) continue;
  wrong += 1;
  if (wrong <= 5) console.error(`  ${name}\n    sent    ${text}\n    printed ${printed}`);
}
if (answers.length < 20 || lines.length < 1000) throw new Error(`There are only ${answers.length} answers and ${lines.length} lines to look at.`);
console.error(`  ${answers.length} answers and ${lines.length} lines of chance: ${wrong === 0 ? "JavaScript prints each as it was" : `${wrong} printed otherwise`}`);
process.exitCode = wrong === 0 ? 0 : 1;
