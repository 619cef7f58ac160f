import type { Detector } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

const FILES = ["src/test/**", "**/src/test/**"];

export const detectJava: Detector = (folder) => {
  const isMaven = folder.has("pom.xml");
  if (!isMaven && !folder.has("build.gradle", "build.gradle.kts")) return undefined;
  const program = isMaven ? (folder.has("mvnw") ? "./mvnw" : "mvn") : folder.has("gradlew") ? "./gradlew" : "gradle";
  const reports = isMaven ? "target/surefire-reports/TEST-*.xml" : "build/test-results/test/TEST-*.xml";
  const build = folder.text("pom.xml") + folder.text("build.gradle") + folder.text("build.gradle.kts");
  const coverage = isMaven ? `${program} -q -B verify` : `${program} jacocoTestReport`;
  return {
    language: "java",
    packageManager: isMaven ? "maven" : "gradle",
    framework: "junit",
    sourceRoot: folder.firstFolder("src/main/java", "src/main") ?? ".",
    testRoot: "src/test/java",
    setup: null,
    tests: testSetup({
      all: isMaven ? `${program} -q -B test` : `${program} test --continue`,
      coverage: build.includes("jacoco") ? coverage : null,
      format: "junit",
      reports: [reports, `**/${reports}`],
      files: FILES,
      timeoutMs: 1_200_000,
    }),
  };
};
