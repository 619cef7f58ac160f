import type { Detector } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

export const detectRust: Detector = (folder) => {
  if (!folder.has("Cargo.toml")) return undefined;
  return {
    language: "rust",
    packageManager: "cargo",
    framework: "cargo-test",
    sourceRoot: folder.firstFolder("src", "crates") ?? ".",
    testRoot: "tests",
    setup: null,
    tests: testSetup({
      all: "cargo test --no-fail-fast >{report} 2>&1",
      format: "cargo",
      timeoutMs: 1_200_000,
      // Tests within a file of `src/` can't be told from the code that they test.
      files: ["tests/**", "**/tests/**"],
    }),
  };
};
