import type { PackageManager } from "../contract/detected-project.ts";
import type { TestSetup } from "../contract/test-setup.ts";
import type { Detector, Folder } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

const MANIFESTS = ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "tox.ini", "pytest.ini"];
const TEST_FILES = ["tests/**", "test/**", "**/test_*.py", "**/*_test.py", "**/conftest.py"];

export const detectPython: Detector = (folder) => {
  const hasTests = folder.find(/(?:^|\/)(?:test_[^/]+|[^/]+_test)\.py$/u) !== undefined;
  // Without a manifest, tests at the top say that it is Python; deeper ones may be those of another part.
  if (!folder.has(...MANIFESTS) && !folder.find(/^(?:tests?\/)?test_[^/]+\.py$/u)) return undefined;
  const packageManager = managerOf(folder);
  const testRoot = folder.firstFolder("tests", "test") ?? ".";
  const isPytest = usesPytest(folder);
  const tests = isPytest ? pytest(packageManager, folder) : hasTests ? unittest(packageManager, testRoot) : null;
  return {
    language: "python",
    packageManager,
    framework: isPytest ? "pytest" : hasTests ? "unittest" : null,
    sourceRoot: folder.firstFolder("src") ?? packageFolder(folder) ?? ".",
    testRoot,
    setup: setupOf(folder, packageManager),
    tests,
  };
};

function managerOf(folder: Folder): PackageManager {
  const project = folder.text("pyproject.toml");
  if (folder.has("uv.lock") || /^\[tool\.uv\b/mu.test(project)) return "uv";
  return folder.has("poetry.lock") || /^\[tool\.poetry\b/mu.test(project) ? "poetry" : "pip";
}

function usesPytest(folder: Folder): boolean {
  if (folder.has("pytest.ini") || folder.find(/(?:^|\/)conftest\.py$/u)) return true;
  return ["pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "requirements.txt"].some((name) => folder.text(name).includes("pytest"));
}

/** A folder at the top that is a package, but none of tests. */
function packageFolder(folder: Folder): string | undefined {
  return folder.find(/^(?!tests?\/)[^/]+\/__init__\.py$/u)?.split("/")[0];
}

function programOf(packageManager: PackageManager): string {
  if (packageManager === "uv") return "uv run python";
  return packageManager === "poetry" ? "poetry run python" : "python3";
}

function pytest(packageManager: PackageManager, folder: Folder): TestSetup {
  const all = `${programOf(packageManager)} -m pytest -q -o junit_family=xunit1 --junitxml={report}`;
  const measures = ["pyproject.toml", "setup.cfg", "requirements.txt"].some((name) => folder.text(name).includes("pytest-cov"));
  const coverage = measures ? `${programOf(packageManager)} -m pytest --cov` : null;
  return testSetup({ all, selected: `${all} {files}`, coverage, format: "junit", files: TEST_FILES });
}

/** Its tests are named by module, and so have other names when a file is given: no selection. */
function unittest(packageManager: PackageManager, testRoot: string): TestSetup {
  const all = `${programOf(packageManager)} -m unittest discover -v -s ${testRoot} 2>{report}`;
  return testSetup({ all, format: "unittest", files: TEST_FILES });
}

function setupOf(folder: Folder, packageManager: PackageManager): string | null {
  if (packageManager === "uv") return "uv sync";
  if (packageManager === "poetry") return "poetry install";
  return folder.has("requirements.txt") ? "python3 -m pip install -r requirements.txt" : null;
}
