import type { TestSetup } from "../contract/test-setup.ts";
import type { Detector, Folder } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

const FILES = ["spec/**", "test/**"];

export const detectRuby: Detector = (folder) => {
  if (!folder.has("Gemfile", "Rakefile", ".rspec") && !folder.find(/^[^/]+\.gemspec$/u)) return undefined;
  const isRspec = folder.has(".rspec") || folder.text("Gemfile").includes("rspec") || folder.firstFolder("spec") !== undefined;
  const isMinitest = !isRspec && (folder.text("Gemfile").includes("minitest") || folder.firstFolder("test") !== undefined);
  return {
    language: "ruby",
    packageManager: "bundler",
    framework: isRspec ? "rspec" : isMinitest ? "minitest" : null,
    sourceRoot: folder.firstFolder("lib", "app") ?? ".",
    testRoot: isRspec ? "spec" : "test",
    setup: folder.has("Gemfile") ? "bundle install" : null,
    tests: isRspec ? rspec(folder) : isMinitest ? minitest(folder) : null,
  };
};

function rspec(folder: Folder): TestSetup {
  const all = `${folder.has("Gemfile") ? "bundle exec " : ""}rspec --format json --out {report}`;
  return testSetup({ all, selected: `${all} {files}`, format: "rspec", files: FILES });
}

/** Minitest writes no report of its own; the gem minitest-ci makes it write JUnit's. */
function minitest(folder: Folder): TestSetup | null {
  if (!folder.text("Gemfile").includes("minitest-ci")) return null;
  return testSetup({ all: "bundle exec rake test", format: "junit", reports: ["test/reports/*.xml"], files: FILES });
}
