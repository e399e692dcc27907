// The corpus of a fuzz target between fuzz/corpus/TARGET.txt, one input a line in base64, and a folder of files, which is what the
// fuzzer wants: node script/lib/corpus.mjs unpack|pack FILE FOLDER

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const [act, file, folder] = process.argv.slice(2);
if (act === "unpack") {
  fs.mkdirSync(folder, { recursive: true });
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  for (const line of lines) {
    const bytes = Buffer.from(line, "base64");
    fs.writeFileSync(path.join(folder, createHash("sha256").update(bytes).digest("hex").slice(0, 20)), bytes);
  }
} else if (act === "pack") {
  const inputs = fs.readdirSync(folder).map((name) => fs.readFileSync(path.join(folder, name)));
  // By length: a change adds lines and moves none.
  inputs.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  fs.writeFileSync(file, [...new Set(inputs.map((bytes) => bytes.toString("base64")))].filter(Boolean).map((line) => `${line}\n`).join(""));
} else {
  console.error("node script/lib/corpus.mjs unpack|pack FILE FOLDER");
  process.exitCode = 2;
}
