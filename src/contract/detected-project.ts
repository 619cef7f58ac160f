import { z } from "zod";
import { TestSetup } from "./test-setup.ts";

export const Language = z.enum(["typescript", "javascript", "python", "go", "rust", "java", "ruby", "csharp", "php"]);
export type Language = z.infer<typeof Language>;

export const PackageManager = z.enum([
  "npm",
  "pnpm",
  "yarn",
  "bun",
  "uv",
  "poetry",
  "pip",
  "go",
  "cargo",
  "maven",
  "gradle",
  "bundler",
  "dotnet",
  "composer",
]);
export type PackageManager = z.infer<typeof PackageManager>;

export const TestFramework = z.enum([
  "vitest",
  "jest",
  "node-test",
  "mocha",
  "pytest",
  "unittest",
  "go-test",
  "cargo-test",
  "junit",
  "rspec",
  "minitest",
  "dotnet-test",
  "phpunit",
  "pest",
]);
export type TestFramework = z.infer<typeof TestFramework>;

/** One part of a repository that is built and tested by itself. Most have one, at the top. */
export const DetectedPart = z.object({
  /** Its folder in the repository; empty: the top. */
  folder: z.string(),
  language: Language,
  packageManager: PackageManager,
  /** Null: its tests are not known to us. */
  framework: TestFramework.nullable(),
  /** Where its code is, and where its tests are, seen from `folder`; `.`: in `folder` itself. */
  sourceRoot: z.string(),
  testRoot: z.string(),
  /** What makes a fresh clone ready; null: nothing has to be done. */
  setup: z.string().nullable(),
  /** How its tests are run, in `folder`; null: we can't tell. */
  tests: TestSetup.nullable(),
});
export type DetectedPart = z.infer<typeof DetectedPart>;

/** What a repository's files say of it. Nothing of it was run to find that out. */
export const DetectedProject = z.object({
  /** The one at the top first, then by folder. Empty: unknown. */
  parts: z.array(DetectedPart),
  /** What a person has to say, and where, because the files do not; null: nothing. */
  question: z.string().nullable(),
});
export type DetectedProject = z.infer<typeof DetectedProject>;
