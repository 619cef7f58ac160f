import type { Detector } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

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
    tests: testSetup({
      all: "go test -json ./... >{report} 2>&1",
      coverage: "go test -cover ./...",
      format: "go",
      files: ["**/*_test.go", "**/testdata/**"],
    }),
  };
};
