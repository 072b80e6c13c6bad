// What the first page may weigh, as gzip sends it: `node scripts/budget.mjs FOLDER` fails where it is more.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of all files of a kind that index.html loads; react-dom alone is 64,000 of the scripts. */
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
