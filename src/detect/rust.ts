import type { Detector } from "./detect-project.ts";

export const detectRust: Detector = (folder) => {
  if (!folder.has("Cargo.toml")) return undefined;
  return {
    language: "rust",
    packageManager: "cargo",
    framework: "cargo-test",
    sourceRoot: folder.firstFolder("src", "crates") ?? ".",
    testRoot: "tests",
    setup: null,
    tests: {
      all: "cargo test --no-fail-fast >{report} 2>&1",
      ...{ selected: null, coverage: null, format: "cargo", reports: [], settings: [], timeoutMs: 1_200_000, reruns: 3 },
      // Tests within a file of `src/` can't be told from the code that they test.
      files: ["tests/**", "**/tests/**"],
    },
  };
};
