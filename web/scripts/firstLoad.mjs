// What a browser fetches before the first page can be used, gzipped, against the budget; fails above it.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 150;
const folder = new URL("../../src/enlarger/server/ui/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", folder), "utf8"));

/** The entry's files, and those of everything it imports statically. */
function filesOf(key, seen = new Set()) {
  if (seen.has(key)) return [];
  seen.add(key);
  const chunk = manifest[key];
  const inner = (chunk.imports ?? []).flatMap((name) => filesOf(name, seen));
  return [chunk.file, ...(chunk.css ?? []), ...inner];
}

const gzipped = (files) =>
  [...new Set(files)].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, folder))).length, 0);

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const shell = ["index.html", ...filesOf(entry)];
let worst = 0;
for (const key of Object.keys(manifest)) {
  const isPage = /^src\/pages\/\w+Page\.svelte$/.test(key);
  const isLanguage = /^src\/i18n\/\w+\/index\.ts$/.test(key);
  if (!isPage && !isLanguage) continue;
  const total = gzipped([...shell, ...filesOf(key)]);
  if (isPage) worst = Math.max(worst, total);
  console.log(`${(total / 1000).toFixed(1).padStart(7)} kB  shell + ${key}`);
}
const language = Math.max(
  0,
  ...Object.keys(manifest)
    .filter((key) => /^src\/i18n\/\w+\/index\.ts$/.test(key))
    .map((key) => gzipped(filesOf(key))),
);
const first = Math.max(worst, gzipped(shell)) + language;
console.log(`${(gzipped(shell) / 1000).toFixed(1).padStart(7)} kB  shell alone`);
console.log(
  `${(first / 1000).toFixed(1).padStart(7)} kB  first load: shell, largest page, one language (limit ${BUDGET_KB} kB, gzip)`,
);
if (first > BUDGET_KB * 1000) {
  console.error(`The first load is over ${BUDGET_KB} kB.`);
  process.exit(1);
}
