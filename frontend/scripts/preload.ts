// Writes into index.html which files each page needs, so that `public/boot.js` can load them in parallel with the shell.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import ts from "typescript";
import type { Plugin } from "vite";

const ROUTES = "src/routes.tsx";
/** The comment in index.html that the data replaces, in front of the script that reads it. */
const PLACEHOLDER = "<!-- preload -->";

interface Page {
  /** The path in the router's syntax, such as `/products/:sku`. */
  readonly path: string;
  /** The modules that the route and its parents load lazily. */
  readonly modules: readonly string[];
}

/** A Vite plugin that writes, for each page in {@link ROUTES}, the files that the page needs in addition to the shell. */
export function preload(): Plugin {
  let root = "";
  return {
    name: "preload",
    apply: "build",
    configResolved: (config) => {
      root = config.root;
    },
    transformIndexHtml: {
      order: "post",
      handler: async (html, { bundle, chunk: entry }) => {
        const chunks = Object.values(bundle ?? {}).filter((file) => file.type === "chunk");
        const withImports = (file: string, found = new Set<string>()): Set<string> => {
          if (found.has(file)) return found;
          found.add(file);
          for (const next of chunks.find(({ fileName }) => fileName === file)?.imports ?? []) withImports(next, found);
          return found;
        };
        const shell = withImports(entry?.fileName ?? "");
        const files: string[] = [];
        const numberOf = (file: string) => (files.includes(file) ? files.indexOf(file) : files.push(file) - 1);
        const pages = pagesOf(await readFile(resolve(root, ROUTES), "utf8")).map(({ path, modules }) => {
          const needed = modules.flatMap((module) => {
            const source = resolve(root, `${module.replace(/^@/, "src")}.tsx`);
            const chunk = chunks.find(({ moduleIds }) => moduleIds.includes(source));
            if (!chunk) throw new Error(`${ROUTES}: ${module} is not in the bundle`);
            return [...withImports(chunk.fileName)];
          });
          const pattern = path.replaceAll(/:\w+/g, "[^/]+");
          return { path: `^${pattern}/?$`, files: [...new Set(needed)].filter((file) => !shell.has(file)).map(numberOf) };
        });
        // A data block is not executed, so the content security policy allows it inline.
        const data = `<script type="application/json" id="preload">${JSON.stringify({ files, pages })}</script>`;
        if (!html.includes(PLACEHOLDER)) throw new Error(`index.html has no ${PLACEHOLDER}`);
        return html.replace(PLACEHOLDER, data);
      },
    },
  };
}

/** Returns the lazily loaded pages of the route table. */
function pagesOf(source: string): Page[] {
  const pages: Page[] = [];
  const visit = (node: ts.Node, parent: Page): void => {
    if (!ts.isObjectLiteralExpression(node)) {
      ts.forEachChild(node, (child) => visit(child, parent));
      return;
    }
    const property = (name: string) =>
      node.properties.filter(ts.isPropertyAssignment).find((entry) => entry.name.getText() === name)?.initializer;
    const [path, children] = [property("path"), property("children")];
    const module = property("lazy")?.getText().match(/import\("(.+)"\)/)?.[1];
    const page = {
      path: path && ts.isStringLiteral(path) ? `${parent.path}/${path.text}` : parent.path,
      modules: module ? [...parent.modules, module] : parent.modules,
    };
    if (children) visit(children, page);
    else if (module) pages.push(page);
  };
  visit(ts.createSourceFile(ROUTES, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX), { path: "", modules: [] });
  return pages;
}
