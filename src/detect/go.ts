import type { Detector } from "./detect-project.ts";

export const detectGo: Detector = (folder) => {
  if (!folder.has("go.mod")) return undefined;
  return {
    language: "go",
    packageManager: "go",
    framework: "go-test",
    sourceRoot: folder.firstFolder("internal", "pkg", "cmd") ?? ".",
    // Tests of Go stand beside what they test.
    testRoot: ".",
    setup: null,
    tests: {
      all: "go test -json ./... >{report} 2>&1",
      selected: null,
      coverage: "go test -cover ./...",
      ...{ format: "go", reports: [], settings: [], files: ["**/*_test.go", "**/testdata/**"], timeoutMs: 600_000, reruns: 3 },
    },
  };
};
