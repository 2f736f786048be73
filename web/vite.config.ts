import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const server = process.env.ENLARGER_URL ?? "http://127.0.0.1:8001";

// Built files name each other relatively and index.html carries <base>, so it works below any root path.
export default defineConfig(({ command }) => ({
  base: command === "serve" ? "/ui/" : "./",
  plugins: [svelte()],
  resolve: process.env.VITEST ? { conditions: ["browser"] } : {},
  build: {
    outDir: "../src/enlarger/server/ui",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    assetsInlineLimit: 0, // data: URLs are for pictures only, by the server's CSP
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 200,
  },
  server: {
    proxy: {
      "/v1": { target: server, ws: true, changeOrigin: true },
      "/openapi.json": { target: server, changeOrigin: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
}));
