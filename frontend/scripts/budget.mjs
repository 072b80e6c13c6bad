// Checks the gzip size of the first page's files: `node scripts/budget.mjs FOLDER` fails if they exceed the budget.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Maximum total bytes of the files that index.html loads, by kind. react-dom alone takes 64,000 bytes of the scripts. */
const BUDGETS = { js: 130_000, css: 10_000 };

const folder = process.argv[2] ?? "dist";
const page = await readFile(join(folder, "index.html"), "utf8");
const files = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]);
for (const [kind, budget] of Object.entries(BUDGETS)) {
  const sizes = files
    .filter((file) => file.endsWith(`.${kind}`))
    .map(async (file) => (await stat(join(folder, `${file}.gz`))).size);
  const sum = (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
  process.stdout.write(`${kind}: ${sum} of ${budget} bytes\n`);
  if (sizes.length === 0 || sum > budget) process.exitCode = 1;
}
