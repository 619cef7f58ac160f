import { asObject, type Detector } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

export const detectPhp: Detector = (folder) => {
  if (!folder.has("composer.json")) return undefined;
  const manifest = folder.json("composer.json");
  const needs = { ...asObject(manifest["require"]), ...asObject(manifest["require-dev"]) };
  const isPest = "pestphp/pest" in needs || folder.has("tests/Pest.php");
  const isPhpunit = !isPest && ("phpunit/phpunit" in needs || folder.has("phpunit.xml", "phpunit.xml.dist"));
  const program = `vendor/bin/${isPest ? "pest" : "phpunit"}`;
  return {
    language: "php",
    packageManager: "composer",
    framework: isPest ? "pest" : isPhpunit ? "phpunit" : null,
    sourceRoot: folder.firstFolder("src", "app", "lib") ?? ".",
    testRoot: folder.firstFolder("tests", "test") ?? "tests",
    setup: "composer install",
    tests:
      isPest || isPhpunit
        ? testSetup({
            all: `${program} --log-junit {report}`,
            coverage: `${program} --coverage-text`,
            format: "junit",
            files: ["tests/**", "test/**"],
          })
        : null,
  };
};
