// The types of the API's client, from the document of a gateway that runs: `npm run api -- http://localhost:8080`
// writes them; with `--check` it fails where the committed ones differ.
import { readFile, writeFile } from "node:fs/promises";

import openapiTS, { astToString } from "openapi-typescript";

const gateway = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? "http://localhost:8080";
const file = new URL("../src/api/schema.d.ts", import.meta.url);
const response = await fetch(new URL("/openapi.json", gateway));
const description = await response.json();
if (!response.ok || description.info.description?.startsWith("Incomplete")) {
  throw new Error(`${gateway} does not describe all of the API: ${description.info?.description ?? response.status}`);
}
const schema = `// Written by \`npm run api\` from the gateway's /openapi.json; not by hand.\n${astToString(
  await openapiTS(description),
)}`;
if (!process.argv.includes("--check")) {
  await writeFile(file, schema);
} else if ((await readFile(file, "utf8")) !== schema) {
  throw new Error("src/api/schema.d.ts is not what the API says: npm run api, and commit it");
}
