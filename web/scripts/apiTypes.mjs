// The types of the server's API, from the OpenAPI that it shows. --check: fails when they are not those committed.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import openapiTS, { astToString } from "openapi-typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TARGET = new URL("../src/api/schema.d.ts", import.meta.url);
const PYTHON = process.env.PYTHON ?? join(ROOT, ".venv", "bin", "python");
const HEAD = "// Made by `npm run api` from the server's OpenAPI: nobody writes here by hand.\n\n";

/** The schema, from a server that is made for this and never started. */
function schema() {
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 ** 2 };
  return JSON.parse(execFileSync(PYTHON, ["-m", "scripts.openapi"], options));
}

const text = HEAD + astToString(await openapiTS(schema()));
if (!process.argv.includes("--check")) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, "utf8") !== text) {
  console.error("src/api/schema.d.ts is not what the server's API is now: run `npm run api` and commit it");
  process.exit(1);
}
