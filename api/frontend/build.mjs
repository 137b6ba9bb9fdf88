// Bundles style and scripts into ../static/built, each file named by its content, with a manifest that says which is
// which, and a gzip and a Brotli copy beside everything that shrinks.
import { build } from "esbuild";
import { readFileSync, readdirSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "..", "static", "built");

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  metafile: true,
  outdir: out,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  target: ["es2022", "chrome109", "firefox115", "safari16"],
  loader: { ".json": "file", ".png": "file", ".svg": "file" },
  legalComments: "linked",
  logLevel: "warning",
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const entries = (folder, extension) =>
  readdirSync(join(here, folder))
    .filter((name) => extname(name) === extension && !name.startsWith("_"))
    .map((name) => `${folder}/${name}`);

const built = [
  await build({ ...common, format: "esm", splitting: true, entryPoints: entries("src/pages", ".ts") }),
  await build({ ...common, entryPoints: entries("src/styles/pages", ".css") }),
  // A plain script: another site's page loads it, and a module would have to ask for leave (CORS) first.
  await build({ ...common, format: "iife", entryPoints: ["src/embed/embed.ts"] }),
];

const manifest = {};
for (const { metafile } of built) {
  for (const [path, output] of Object.entries(metafile.outputs)) {
    if (!output.entryPoint) continue;
    const source = basename(output.entryPoint);
    manifest[source.replace(/\.ts$/, ".js")] = basename(path);
  }
}

for (const name of readdirSync(out)) {
  if (![".js", ".css", ".json", ".svg"].includes(extname(name))) continue;
  const body = readFileSync(join(out, name));
  const packed = {
    ".gz": gzipSync(body, { level: 9 }),
    ".br": brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  };
  for (const [suffix, bytes] of Object.entries(packed)) {
    if (bytes.length < body.length) writeFileSync(join(out, name + suffix), bytes);
  }
}

// Last, so that a build that was broken off is not taken for a whole one.
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
