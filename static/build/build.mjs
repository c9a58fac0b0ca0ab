// Builds the committed files of ../files from this folder: app.css, icons.svg, editor.js, and the vendored htmx.
// Run through `make generate`. Everything it reads is pinned by package-lock.json.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "files");
const modules = join(here, "node_modules");

// The icons that pages may use, by their names in Lucide. Add a name here, then run `make generate`.
const icons = readFileSync(join(here, "icons.txt"), "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line && !line.startsWith("#"));

function sprite() {
  const symbols = icons.map((name) => {
    const svg = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
    const body = svg.match(/<svg[^>]*>([\s\S]*?)<\/svg>/)[1].replace(/\s+/g, " ").trim();
    return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
  });
  return `<!-- Icons: Lucide, ISC licence, see NOTICE.md -->\n<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

function vendored(from, name) {
  // The source map is not shipped, so the file must not point to one.
  const text = readFileSync(join(modules, "htmx.org", "dist", from), "utf8");
  writeFileSync(join(out, name), text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
}

execFileSync(
  process.execPath,
  [join(modules, "@tailwindcss", "cli", "dist", "index.mjs"), "-i", "app.css", "-o", join(out, "app.css"), "--minify"],
  { cwd: here, stdio: ["ignore", "ignore", "pipe"] },
);
writeFileSync(join(out, "icons.svg"), sprite());
buildSync({
  entryPoints: [join(here, "editor.js")],
  outfile: join(out, "editor.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  banner: { js: "// With CodeMirror, MIT licence, see NOTICE.md" },
});
vendored("htmx.min.js", "htmx.min.js");
vendored("ext/hx-sse.min.js", "hx-sse.min.js");

// Lets a test without Node see that the committed files are of these sources.
function inputs() {
  const hash = createHash("sha256");
  const theme = readdirSync(join(here, "theme")).sort().map((name) => `theme/${name}`);
  for (const name of ["app.css", "build.mjs", "editor.js", "icons.txt", "package-lock.json", ...theme]) {
    hash.update(`${name}\n`).update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

if (!process.argv[2]) writeFileSync(join(here, "made-from.sha256"), `${inputs()}\n`);
