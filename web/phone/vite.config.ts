import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// Everything lies flat under /phone/; what has a digest in its name may be kept for ever. Nothing is inlined, for the
// policy of the page allows no inline script or style.
export default defineConfig({
  base: "/phone/",
  plugins: [svelte()],
  build: {
    outDir: "dist",
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
    rollupOptions: {
      // The page, and the library alone under a name that other pages can count on.
      input: { index: "index.html", "bellwire-phone": "src/library.ts" },
      preserveEntrySignatures: "exports-only",
      output: { entryFileNames: ({ name }) => (name === "bellwire-phone" ? "[name].js" : "[name]-[hash].js") },
    },
  },
});
