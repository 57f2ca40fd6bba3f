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
  },
});
