// Loads the browser's part and wakes the islands of the page, outermost first. Bundled with the glue that wasm-bindgen writes.
import load, * as part from "countersign";

await load({ module_or_path: new URL("countersign.wasm", import.meta.url) });
part.hydrate();
await wake(document.body, undefined);
// For styles and tests: what needs the browser's part works from here on.
document.documentElement.dataset.awake = "";

// `adopt` hands the nearest island around a node over to the islands that were passed to it as children.
async function wake(node, adopt) {
  if (node.localName === "leptos-island") {
    const island = part[node.dataset.component];
    if (!island) throw new Error(`This page has an island the browser's part does not know: ${node.dataset.component}`);
    adopt?.();
    await island(node);
  }
  const inner = node.localName === "leptos-children" ? node.$$on_hydrate : adopt;
  for (const child of [...node.children]) await wake(child, inner);
}
