// node embed.mjs OUTPUT.cc: builds the pages and writes them, compressed, as C++ (src/pages/assets.h).
//
// The build of the program runs this whenever a file here has changed. What was made is kept for the other build
// directories, under the digest of all sources: npm runs once for each state of them.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const ROOT = dirname(fileURLToPath(import.meta.url));
const NOT_SOURCES = new Set(["node_modules", "dist", "test"]);
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", txt: "text/plain; charset=utf-8" };

function files(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !NOT_SOURCES.has(entry.name))
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

const digest = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");

function npm(...words) {
  try {
    execFileSync("npm", words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    console.error(`npm ${words.join(" ")} did not work:\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
    process.exit(1);
  }
}

function installPackages() {
  const stamp = join(ROOT, "node_modules/.installed");
  const wanted = digest(readFileSync(join(ROOT, "package-lock.json")));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=5");
  writeFileSync(stamp, wanted);
}

// Bytes as a string literal, cut into lines: the compiler reads these many times faster than lists of numbers.
function literal(bytes) {
  const plain = (byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
  const lines = [];
  for (let at = 0; at < bytes.length; at += 4096) {
    let line = "";
    for (const byte of bytes.subarray(at, at + 4096)) {
      line += plain(byte) ? String.fromCharCode(byte) : "\\" + byte.toString(8).padStart(3, "0");
    }
    lines.push(`    "${line}"`);
  }
  return `std::string_view{\n${lines.join("\n") || '    ""'},\n    ${bytes.length}}`;
}

function asset(name, bytes) {
  const type = TYPES[name.split(".").pop()];
  if (type === undefined) throw new Error(`${name}: what is its media type?`);
  const forever = /-[\w-]{8}\.\w+$/.test(name); // a digest in the name (vite.config.ts)
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  const fields = [
    `.name = "${name}"`, `.content_type = "${type}"`, `.etag = "W/\\"${digest(bytes).slice(0, 16)}\\""`, `.forever = ${forever}`,
    `.plain = ${literal(bytes)}`, `.gzip = ${literal(gzipSync(bytes, { level: 9 }))}`, `.brotli = ${literal(brotli)}`,
  ];
  return `    Asset{${fields.join(",\n          ")}},\n`;
}

const output = process.argv[2];
const kept = join(ROOT, "../build/web/assets.cc");
const sources = files(ROOT);
const first = `// Made by web/embed.mjs of ${digest(...sources.flatMap((file) => [relative(ROOT, file), readFileSync(file)]))}\n`;
if (!existsSync(kept) || !readFileSync(kept, "utf8").startsWith(first)) {
  installPackages();
  npm("run", "build");
  const folder = join(ROOT, "phone/dist");
  const assets = readdirSync(folder).sort().map((name) => asset(name, readFileSync(join(folder, name))));
  write(
    kept,
    `${first}#include "pages/assets.h"\n\nnamespace bw::pages {\nnamespace {\nconstexpr Asset kAssets[] = {\n${assets.join("")}};\n}  // namespace\n\n` +
      "std::span<const Asset> assets() {\n  return kAssets;\n}\n\n}  // namespace bw::pages\n",
  );
}
write(output, readFileSync(kept));

// Whole or not at all, for two builds may do it at once.
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}
