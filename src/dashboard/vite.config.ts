import tailwind from "@tailwindcss/vite";
import { defineConfig } from "vite";

// Nothing is put into the page itself, neither script nor image: its policy would not let it run.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [tailwind()],
  oxc: { jsx: { runtime: "automatic" } },
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2022" },
});
