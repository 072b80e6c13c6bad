// What the first page may weigh, as it is sent: `node scripts/budget.mjs FOLDER` fails where it is more.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** Of everything that index.html loads, in bytes of gzip. */
const SHELL = 130_000;

const folder = process.argv[2] ?? "dist";
const page = await readFile(join(folder, "index.html"), "utf8");
const files = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]);
const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, `${file}.gz`))).size));
const sum = sizes.reduce((total, size) => total + size, 0);
process.stdout.write(`the shell is ${sum} of ${SHELL} bytes\n`);
if (files.length === 0 || sum > SHELL) process.exitCode = 1;
