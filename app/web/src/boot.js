import { runHere, wake as wakeCode } from './code.js';

// Loads the WASM and wakes every island of the page, outer ones before those inside them.
// Leptos brings such a script along; this one differs in that the page says which module it needs, by the address that it
// has the browser fetch ahead; it carries the version of the site.
const glue = document.querySelector('link[rel=modulepreload]').href;
const waking = [];

globalThis.BulkheadCode = { wake: wakeCode };
if (globalThis.BulkheadTerminal) runHere(globalThis.BulkheadTerminal.run);

async function wakeIsland(island, module) {
  const id = island.dataset.component;
  const hydrate = module[id];
  if (!hydrate) {
    console.error(`The page and its WASM were built apart: no island ${id}.`);
    return;
  }
  waking.at(-1)?.();
  await hydrate(island);
  island.dataset.hydrated = '';
}

async function walk(node, module) {
  if (node.localName === 'leptos-island') await wakeIsland(node, module);
  const children = node.localName === 'leptos-children';
  if (children) waking.push(node.$$on_hydrate);
  for (const child of [...node.children]) await walk(child, module);
  if (children) waking.pop();
}

const module = await import(glue);
await module.default({ module_or_path: glue.replace('.js?', '_bg.wasm?') });
module.hydrate();
await walk(document.body, module);
document.documentElement.dataset.ready = '';
