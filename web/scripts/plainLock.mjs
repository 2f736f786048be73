// Leave in package-lock.json what an install needs, and no host name: funding links and registries go.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
  delete entry.deprecated;
}
const text = JSON.stringify(lock, null, 2) + "\n";
if (/https?:\/\//.test(text)) throw new Error("package-lock.json still names a host");
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("package-lock.json names hosts: run `npm run lock` and commit it");
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}
