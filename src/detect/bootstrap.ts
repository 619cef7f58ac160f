import type { Language } from "../contract/detected-project.ts";

/** The languages in which a project can be begun from nothing. */
export const bootstrapLanguages = ["typescript", "javascript", "python", "go", "rust"] as const satisfies readonly Language[];
export type BootstrapLanguage = (typeof bootstrapLanguages)[number];

/**
 * The files with which a project of a language begins, by path: a folder for its code, one for its tests, and a manifest by which
 * detection finds the command that runs them. There is one thing in it, with a test that passes, so that the command has something to run.
 */
export function bootstrapFiles(language: BootstrapLanguage, name: string): Readonly<Record<string, string>> {
  const plain =
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/gu, "-")
      .replaceAll(/^-+|-+$/gu, "") || "project";
  return { ...starts[language](plain), ".gitignore": IGNORED[language] };
}

const IGNORED: Readonly<Record<BootstrapLanguage, string>> = {
  typescript: "node_modules/\n",
  javascript: "node_modules/\n",
  python: "__pycache__/\n.venv/\n",
  go: "",
  rust: "target/\n",
};

type Start = (name: string) => Readonly<Record<string, string>>;

const typescript: Start = (name) => ({
  "package.json": manifest(name, { node: ">=22.18" }),
  "src/name.ts": `export const name: string = ${JSON.stringify(name)};\n`,
  "test/name.test.ts": nodeTest(name, "ts"),
  "tsconfig.json": `${JSON.stringify({ compilerOptions: { strict: true, target: "es2023", module: "nodenext", noEmit: true, allowImportingTsExtensions: true, erasableSyntaxOnly: true } }, null, 2)}\n`,
});

const javascript: Start = (name) => ({
  "package.json": manifest(name, { node: ">=20" }),
  "src/name.js": `export const name = ${JSON.stringify(name)};\n`,
  "test/name.test.js": nodeTest(name, "js"),
});

function manifest(name: string, engines: object): string {
  return `${JSON.stringify({ name, version: "0.1.0", private: true, type: "module", engines, scripts: { test: "node --test" } }, null, 2)}\n`;
}

function nodeTest(name: string, extension: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { name } from "../src/name.${extension}";

test("it has a name", () => assert.equal(name, ${JSON.stringify(name)}));
`;
}

/** Python's own runner: nothing has to be installed for it. */
const python: Start = (name) => {
  const module = name.replaceAll("-", "_").replace(/^(?=\d)/u, "p");
  return {
    "pyproject.toml": `[project]\nname = "${name}"\nversion = "0.1.0"\nrequires-python = ">=3.9"\n`,
    [`${module}/__init__.py`]: `NAME = "${name}"\n`,
    "tests/__init__.py": "",
    "tests/test_name.py": `import unittest

from ${module} import NAME


class Name(unittest.TestCase):
    def test_it_has_a_name(self):
        self.assertEqual(NAME, "${name}")
`,
  };
};

const go: Start = (name) => {
  const text = JSON.stringify(name);
  return {
    "go.mod": `module ${name}\n\ngo 1.19\n`,
    "internal/name/name.go": `// Package name says what the project is called.\npackage name\n\n// Name of the project.\nconst Name = ${text}\n`,
    "internal/name/name_test.go": `package name\n\nimport "testing"\n\nfunc TestName(t *testing.T) {\n\tif Name != ${text} {\n\t\tt.Errorf("got %q", Name)\n\t}\n}\n`,
  };
};

const rust: Start = (name) => {
  const crate = name.replace(/^(?=\d)/u, "p-");
  const text = JSON.stringify(name);
  return {
    "Cargo.toml": `[package]\nname = "${crate}"\nversion = "0.1.0"\nedition = "2021"\n`,
    "src/lib.rs": `/// What the project is called.\npub const NAME: &str = ${text};\n`,
    "tests/name.rs": `use ${crate.replaceAll("-", "_")}::NAME;\n\n#[test]\nfn it_has_a_name() {\n    assert_eq!(NAME, ${text});\n}\n`,
  };
};

const starts: Readonly<Record<BootstrapLanguage, Start>> = { typescript, javascript, python, go, rust };
