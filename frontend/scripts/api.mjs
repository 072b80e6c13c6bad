// Generates the types of the API client from the OpenAPI document of a running gateway:
// `npm run api -- http://localhost:8080`. With `--check` it fails if the committed file differs.
import { readFile, writeFile } from "node:fs/promises";

import openapiTS, { astToString } from "openapi-typescript";

const gateway = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? "http://localhost:8080";
const file = new URL("../src/api/schema.d.ts", import.meta.url);
const response = await fetch(new URL("/openapi.json", gateway));
const description = await response.json();
if (!response.ok || description.info.description?.startsWith("Incomplete")) {
  throw new Error(`${gateway} returned an incomplete OpenAPI document: ${description.info?.description ?? response.status}`);
}
const schema = `// Written by \`npm run api\` from the gateway's /openapi.json; not by hand.\n${astToString(
  await openapiTS(description),
)}`;
if (!process.argv.includes("--check")) {
  await writeFile(file, schema);
} else if ((await readFile(file, "utf8")) !== schema) {
  throw new Error("src/api/schema.d.ts is out of date; run `npm run api` and commit the result");
}
