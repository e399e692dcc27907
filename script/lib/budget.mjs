// What a first visit loads, weighed as sent to a browser that takes brotli.

import http from "node:http";
import { OwnPortal } from "./portal.mjs";

const limit = 110 * 1024;
const pages = ["/activate", "/offline"];

const portal = await OwnPortal.start();
let tooMuch = false;
try {
  for (const page of pages) {
    const loaded = await visit(portal.url, page);
    const total = loaded.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`${page}: ${kilobytes(total)} of ${kilobytes(limit)}`);
    for (const { path, encoding, bytes } of loaded) console.log(`  ${kilobytes(bytes).padStart(9)}  ${path.replace(/\/pkg\/[0-9a-f]+/, "/pkg/…")}${encoding ? `  (${encoding})` : ""}`);
    tooMuch ||= total > limit;
    if (loaded.length < 3) throw new Error(`${page} loads no styles or scripts: the page or this scale is broken`);
  }
} finally {
  await portal.stop();
  portal.remove();
}
if (tooMuch) {
  console.error("A customer's first visit has become too heavy.");
  process.exit(1);
}

// The page and everything its HTML asks the browser to load.
async function visit(origin, page) {
  const html = await get(origin, page);
  const text = await (await fetch(origin + page)).text();
  const paths = new Set();
  for (const [tag] of text.matchAll(/<(?:link|script|img)\b[^>]*>/g)) {
    const [, path] = /\b(?:href|src)="([^"]+)"/.exec(tag) ?? [];
    const loads = !tag.startsWith("<link") || /\brel="(?:stylesheet|preload|modulepreload|icon)"/.test(tag);
    if (path?.startsWith("/") && loads) paths.add(path.replaceAll("&amp;", "&"));
  }
  return [html, ...(await Promise.all([...paths].map((path) => get(origin, path))))];
}

function get(origin, path) {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": "br", accept: "text/html,*/*", "sec-fetch-site": "none" };
    http.get(origin + path, { headers }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk) => (bytes += chunk.length));
      answer.on("end", () => (answer.statusCode === 200 ? resolve({ path, bytes, encoding: answer.headers["content-encoding"] }) : reject(new Error(`${path} answered ${answer.statusCode}`))));
    }).on("error", reject);
  });
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
