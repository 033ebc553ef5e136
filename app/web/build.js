// Bundles styles, fonts and scripts into the site folder (BULKHEAD_SITE), and lists the works of others in it.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const site = resolve(process.env.BULKHEAD_SITE ?? join(here, '../../target/site'));
const assets = join(site, 'assets');
const modules = join(here, 'node_modules');

// The latin subset, upright, and italics for prose only: what the pages preload or use.
const fonts = [
  ['ibm-plex-sans', 'ibm-plex-sans-latin-wght-normal.woff2', 'sans.woff2'],
  ['ibm-plex-sans', 'ibm-plex-sans-latin-wght-italic.woff2', 'sans-italic.woff2'],
  ['jetbrains-mono', 'jetbrains-mono-latin-wght-normal.woff2', 'mono.woff2'],
];

await rm(assets, { recursive: true, force: true });
await mkdir(join(assets, 'fonts'), { recursive: true });

const common = { bundle: true, minify: true, logLevel: 'warning', nodePaths: [modules], absWorkingDir: here };
const [scripts] = await Promise.all([
  build({
    ...common,
    entryPoints: { terminal: 'src/terminal/index.js', boot: 'src/boot.js' },
    outdir: assets,
    format: 'esm',
    target: 'es2022',
    metafile: true,
    legalComments: 'none',
  }),
  build({
    ...common,
    entryPoints: { app: '../../style/app.css' },
    outdir: assets,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    external: ['/assets/*'],
  }),
  ...fonts.map(([family, from, to]) =>
    copyFile(join(modules, '@fontsource-variable', family, 'files', from), join(assets, 'fonts', to))),
  copyFile(join(here, 'src/favicon.svg'), join(assets, 'favicon.svg')),
]);

const used = new Set(fonts.map(([family]) => `@fontsource-variable/${family}`));
for (const input of Object.keys(scripts.metafile.inputs)) {
  const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/);
  if (match) used.add(match[1]);
}

async function licenceText(name) {
  const folder = join(modules, name);
  const file = (await readdir(folder)).find((entry) => /^(licen[sc]e|copying)(\.(md|txt))?$/i.test(entry));
  if (file) return readFile(join(folder, file), 'utf8');
  // Some addons leave out the file; they come from the same repository as the terminal itself.
  return name.startsWith('@xterm/addon-') ? licenceText('@xterm/xterm') : '';
}

const parts = await Promise.all([...used].sort().map(async (name) => {
  const { version, license } = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8'));
  return { name, version, licence: license, kind: 'npm', text: await licenceText(name) };
}));
const silent = parts.filter((part) => !part.text || !part.licence);
if (silent.length) throw new Error(`no licence text found for ${silent.map((part) => part.name).join(', ')}`);
await writeFile(join(site, 'licences.json'), JSON.stringify(parts, null, 1));
