// Makes target/site from the compiled browser's part, style/ and public/:
//
//   pkg/<content hash>/countersign.{js,wasm,css}, vendor.css, enhance.js and what the style sheets refer to
//   the files of public/, at the top
//   beside each file that shrinks by it, its .br and .gz
//   manifest.json: the content hash, and the bytes of every file
//
// `site.mjs --fresh` makes nothing and exits 0 if target/site is what its sources make, 1 if it is not.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const name = "countersign";
const target = process.env.CARGO_TARGET_DIR ?? "target";
const wasmFolder = path.join(target, "wasm32-unknown-unknown", "wasm-release");
const site = "target/site";
const work = "target/site-work";
const sourcesFile = "target/site-sources.json";

if (process.argv.includes("--fresh")) {
  process.exit(isFresh() ? 0 : 1);
}

fs.rmSync(work, { recursive: true, force: true });
const files = bundle();
const hash = hashOf([...files].sort(([a], [b]) => (a < b ? -1 : 1)).flat());
const made = new Map([...files].map(([file, bytes]) => [`pkg/${hash}/${file}`, bytes]));
for (const file of filesUnder("public")) made.set(path.relative("public", file), fs.readFileSync(file));
write(made);
fs.rmSync(work, { recursive: true });
const sources = [...new Set([...rustSources(), ...ownSources()])].sort();
fs.writeFileSync(sourcesFile, JSON.stringify({ hash: hashOfFiles(sources), sources }));

// --- steps

// The glue of wasm-bindgen and our start script become one module; the style sheets, one sheet.
function bundle() {
  say("Writing the scripts that load it, and making it smaller (wasm-bindgen, wasm-opt, esbuild).");
  const glue = path.resolve(work, "glue");
  const out = path.resolve(work, "out");
  run("wasm-bindgen", ["--target", "web", "--no-typescript", "--out-name", name, "--out-dir", glue, path.join(wasmFolder, `${name}.wasm`)]);
  fs.mkdirSync(out, { recursive: true });
  // Exactly what rustc emits for wasm32 today; wasm-opt refuses what is not named here.
  const features = ["bulk-memory", "bulk-memory-opt", "mutable-globals", "nontrapping-float-to-int", "sign-ext", "reference-types", "multivalue"];
  run("wasm-opt", ["-Oz", ...features.map((feature) => `--enable-${feature}`), "-o", `${out}/${name}.wasm`, `${glue}/${name}_bg.wasm`]);

  const common = ["--bundle", "--minify", "--log-level=warning", "--legal-comments=none"];
  const scripts = [...common, "--format=esm", "--target=es2022"];
  run("esbuild", ["src/app/islands/start.js", ...scripts, `--alias:${name}=${glue}/${name}.js`, `--outfile=${out}/${name}.js`]);
  run("esbuild", ["src/app/enhance.js", ...scripts, `--outfile=${out}/enhance.js`]);
  const pictures = ["woff2", "svg", "png"].map((ending) => `--loader:.${ending}=file`);
  const styles = [...common, ...pictures, "--asset-names=[name]"];
  run("esbuild", ["style/main.css", ...styles, `--outfile=${out}/${name}.css`]);
  run("esbuild", ["style/vendor.css", ...styles, `--outfile=${out}/vendor.css`]);
  return new Map(filesUnder(out).map((file) => [path.relative(out, file), fs.readFileSync(file)]));
}

// Into a new folder first: a server that starts meanwhile finds the old site or the new one, not a part of one.
function write(made) {
  say("Compressing (brotli, gzip).");
  const fresh = `${site}-new`;
  fs.rmSync(fresh, { recursive: true, force: true });
  const sizes = {};
  for (const [file, bytes] of made) {
    const to = path.join(fresh, file);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.writeFileSync(to, bytes);
    const br = zlib.brotliCompressSync(bytes, {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    const gz = zlib.gzipSync(bytes, { level: 9 });
    sizes[file] = { bytes: bytes.length };
    for (const [ending, packed] of [["br", br], ["gz", gz]]) {
      // Pictures and fonts are packed already.
      if (packed.length < bytes.length * 0.95) {
        fs.writeFileSync(`${to}.${ending}`, packed);
        sizes[file][ending] = packed.length;
      }
    }
  }
  fs.writeFileSync(path.join(fresh, "manifest.json"), JSON.stringify({ hash, files: sizes }, null, 2) + "\n");
  fs.rmSync(site, { recursive: true, force: true });
  fs.renameSync(fresh, site);
  const { bytes, br } = sizes[`pkg/${hash}/${name}.wasm`];
  say(`The browser's part is ${kilobytes(bytes)}, ${kilobytes(br)} as sent.`);
}

// --- what it is made of

function isFresh() {
  try {
    const { hash, sources } = JSON.parse(fs.readFileSync(sourcesFile, "utf8"));
    const known = new Set(sources);
    return fs.existsSync(`${site}/manifest.json`) && ownSources().every((file) => known.has(file)) && hash === hashOfFiles(sources);
  } catch {
    return false;
  }
}

// What the compiler read, as it noted itself: server code is not among it.
function rustSources() {
  const notes = fs.readFileSync(path.join(wasmFolder, `lib${name}.d`), "utf8");
  const listed = notes.slice(notes.indexOf(": ") + 2).split("\n")[0].match(/(?:\\ |\S)+/g) ?? [];
  return listed.map((file) => path.relative(".", file.replaceAll("\\ ", " ")));
}

function ownSources() {
  const single = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml", "package-lock.json", "script/build", "script/lib/site.mjs"];
  const scripts = filesUnder("src/app").filter((file) => file.endsWith(".js"));
  return [...single, ...scripts, ...filesUnder("style"), ...filesUnder("public")];
}

function filesUnder(folder) {
  if (!fs.existsSync(folder)) return [];
  const entries = fs.readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)).sort();
}

// --- small things

function hashOfFiles(files) {
  return hashOf(files.flatMap((file) => [file, fs.existsSync(file) ? fs.readFileSync(file) : "gone"]));
}

function hashOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 16);
}

function run(program, args) {
  try {
    execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    console.error(`${program} failed:\n${error.stderr ?? error}`);
    process.exit(1);
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

function say(sentence) {
  console.error(sentence);
}
