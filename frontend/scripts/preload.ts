// Tells the first page which code it will need: `public/boot.js` loads it beside the application's own, instead of after.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import ts from "typescript";
import type { Plugin } from "vite";

const ROUTES = "src/routes.tsx";
/** Before the script that reads it. */
const PLACE = "<!-- preload -->";

interface Page {
  /** As the router writes it. */
  readonly path: string;
  /** What is imported for it: the page and what is around it. */
  readonly modules: readonly string[];
}

/** Writes into index.html, for each page of {@link ROUTES}, the files that it loads and the first page does not. */
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
        const first = withImports(entry?.fileName ?? "");
        const files: string[] = [];
        const numberOf = (file: string) => (files.includes(file) ? files.indexOf(file) : files.push(file) - 1);
        const pages = pagesOf(await readFile(resolve(root, ROUTES), "utf8")).map(({ path, modules }) => {
          const own = modules.flatMap((module) => {
            const source = resolve(root, `${module.replace(/^@/, "src")}.tsx`);
            const chunk = chunks.find(({ moduleIds }) => moduleIds.includes(source));
            if (!chunk) throw new Error(`${ROUTES}: ${module} is not in the bundle`);
            return [...withImports(chunk.fileName)];
          });
          const pattern = path.replaceAll(/:\w+/g, "[^/]+");
          return { path: `^${pattern}/?$`, files: [...new Set(own)].filter((file) => !first.has(file)).map(numberOf) };
        });
        // Data is not run, so the content security policy does not mind it.
        const data = `<script type="application/json" id="preload">${JSON.stringify({ files, pages })}</script>`;
        if (!html.includes(PLACE)) throw new Error(`index.html has no ${PLACE}`);
        return html.replace(PLACE, data);
      },
    },
  };
}

/** The pages of the router's table that are loaded when they are asked for. */
function pagesOf(source: string): Page[] {
  const pages: Page[] = [];
  const visit = (node: ts.Node, above: Page): void => {
    if (!ts.isObjectLiteralExpression(node)) {
      ts.forEachChild(node, (child) => visit(child, above));
      return;
    }
    const property = (name: string) =>
      node.properties.filter(ts.isPropertyAssignment).find((entry) => entry.name.getText() === name)?.initializer;
    const [path, children] = [property("path"), property("children")];
    const module = property("lazy")?.getText().match(/import\("(.+)"\)/)?.[1];
    const page = {
      path: path && ts.isStringLiteral(path) ? `${above.path}/${path.text}` : above.path,
      modules: module ? [...above.modules, module] : above.modules,
    };
    if (children) visit(children, page);
    else if (module) pages.push(page);
  };
  visit(ts.createSourceFile(ROUTES, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX), { path: "", modules: [] });
  return pages;
}
