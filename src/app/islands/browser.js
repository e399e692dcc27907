// What only a browser can do: take files, ask the portal, check RSA, hand out downloads. What any of it means is decided in Rust.

// Calls `take(name, size, file)` for each file that is chosen, dropped anywhere on the page, or pasted, and `take()` after the last.
export function receive(root, take) {
  const give = (files) => {
    // Small files are read at once, and not one by one: each reading is a trip to another process.
    files.forEach((file, place) => take(file.name, file.size, place < 200 && file.size <= 65536 ? begun(file) : file));
    if (files.length) take();
  };
  const giveText = (text) => text.trim() && give([new File([text], "pasted.req")]);
  const typed = root.querySelector("textarea");
  // An island that fell asleep leaves its form to the browser.
  const asleep = () => !("live" in root.dataset);
  root.addEventListener("change", ({ target }) => {
    if (asleep() || target.type !== "file") return;
    give([...target.files]);
    target.value = "";
  });
  root.addEventListener("submit", (event) => {
    if (asleep()) return;
    event.preventDefault();
    giveText(typed.value);
    typed.value = "";
  });
  addEventListener("paste", (event) => {
    if (asleep()) return;
    const { files } = event.clipboardData;
    if (files.length) give([...files]);
    else if (event.target === typed || !event.target.closest("input, textarea")) giveText(event.clipboardData.getData("text"));
    else return;
    event.preventDefault();
  });
  // Without these the browser would leave the page to show the file.
  const { classList } = document.body;
  const holdsFiles = ({ dataTransfer }) => !asleep() && dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    classList.add("dragging");
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? classList.remove("dragging"));
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    classList.remove("dragging");
    give([...event.dataTransfer.files]);
  });
}

// A file that cannot be read says so when its turn comes.
function begun(file) {
  const bytes = file.arrayBuffer();
  bytes.catch(() => {});
  return bytes;
}

// The page draws and answers in between, however many files there are.
let drawn = 0;
export async function bytesOf(file) {
  if (performance.now() - drawn > 50) {
    await new Promise((go) => setTimeout(go));
    drawn = performance.now();
  }
  return new Uint8Array(await (file.then ? file : file.arrayBuffer()));
}

// Rejects only when the portal could not be reached; an answer that is no JSON has no body.
export async function ask(path, bytes) {
  const post = bytes && { method: "POST", body: bytes, headers: { "content-type": "application/octet-stream" } };
  const answer = await fetch(path, { ...post, signal: AbortSignal.timeout(bytes ? 60_000 : 10_000) });
  const text = await answer.text();
  try {
    return { status: answer.status, body: JSON.parse(text) };
  } catch {
    return { status: answer.status, body: {} };
  }
}

const RSA = "RSASSA-PKCS1-v1_5";

// Whether the signature holds over any of the texts with any of the keys; nothing where this browser cannot tell.
export async function rsaHolds(pems, signature, texts) {
  if (!globalThis.crypto?.subtle) return undefined;
  for (const pem of pems) {
    const der = Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (letter) => letter.charCodeAt(0));
    const key = await crypto.subtle.importKey("spki", der, { name: RSA, hash: "SHA-256" }, false, ["verify"]);
    for (const text of texts) if (await crypto.subtle.verify(RSA, key, signature, text)) return true;
  }
  return false;
}

export const linkTo = (bytes) => URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));

// Absent over plain http.
export const canCopy = () => !!navigator.clipboard;
export const copy = (text) => navigator.clipboard.writeText(text);
