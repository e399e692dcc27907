// Loads the browser's part and wakes the islands of the page, outermost first. Bundled with the glue that wasm-bindgen writes.
import load, * as part from "countersign";

// Where a fault of ours stops the browser's part, the plain forms take over again: they never needed it.
for (const event of ["error", "unhandledrejection"]) {
  addEventListener(event, ({ error, reason }) => {
    if (!((error ?? reason) instanceof WebAssembly.RuntimeError)) return;
    for (const bench of document.querySelectorAll("[data-live]")) delete bench.dataset.live;
  });
}

await load({ module_or_path: new URL("countersign.wasm", import.meta.url) });
for (const { dataset } of document.querySelectorAll("leptos-island")) {
  // Leptos sets a hash after the name.
  const wake = part[dataset.component.replace(/_\d+$/, "")];
  if (!wake) throw new Error(`This page has an island the browser's part does not know: ${dataset.component}`);
  wake();
}
// For styles and tests: what needs the browser's part works from here on.
document.documentElement.dataset.awake = "";
