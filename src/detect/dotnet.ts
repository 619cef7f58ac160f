import type { Detector } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

const FILES = ["**/*.Tests/**", "**/*.Test/**", "**/*Tests/**", "tests/**", "test/**"];

export const detectDotnet: Detector = (folder) => {
  const isProject = folder.find(/^[^/]+\.(?:sln|slnx|csproj)$/u) !== undefined;
  if (!isProject) return undefined;
  const testProject = folder.find(/(?:^|\/)[^/]*Tests?\.csproj$/u);
  const hasTests = testProject !== undefined || folder.paths.some((path) => path.endsWith(".csproj") && isTested(folder.text(path)));
  return {
    language: "csharp",
    packageManager: "dotnet",
    framework: hasTests ? "dotnet-test" : null,
    sourceRoot: folder.firstFolder("src") ?? ".",
    testRoot: folder.firstFolder("tests", "test") ?? testProject?.split("/").slice(0, -1).join("/") ?? ".",
    setup: "dotnet restore",
    tests: hasTests
      ? testSetup({
          all: `dotnet test --logger "trx;LogFileName=drover.trx"`,
          coverage: `dotnet test --collect "XPlat Code Coverage"`,
          format: "trx",
          reports: ["**/TestResults/drover.trx", "TestResults/drover.trx"],
          files: FILES,
          timeoutMs: 1_200_000,
        })
      : null,
  };
};

function isTested(project: string): boolean {
  return project.includes("Microsoft.NET.Test.Sdk");
}
