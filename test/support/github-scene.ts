import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Project } from "../../src/contract/project.ts";
import { TestHome, type TestDaemon } from "./daemon.ts";
import { GithubDouble } from "./github-double.ts";
import type { DoubleRepository } from "./github-repository.ts";
import { git } from "./repository.ts";

export const GITHUB_TOKEN = "ghp_scenario000000000000000000000000000";
export const HOOK_SECRET = "a-secret-of-webhooks";

export interface SceneOptions {
  /** One that several scenes share; without it, the scene has its own. */
  readonly github?: GithubDouble;
  readonly fullName?: string;
  /** What is in the repository at first. */
  readonly files?: Readonly<Record<string, string>>;
  /** The home's configuration. */
  readonly config?: Readonly<Record<string, unknown>> & { readonly github?: Readonly<Record<string, unknown>> };
}

/** GitHub's double with a repository, a person's clone of it, and a home for daemons that know both. */
export class GithubScene implements AsyncDisposable {
  readonly github: GithubDouble;
  readonly repository: DoubleRepository;
  readonly home: TestHome;
  /** The person's clone. */
  readonly checkout: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(stack: AsyncDisposableStack, github: GithubDouble, repository: DoubleRepository, home: TestHome) {
    this.#stack = stack;
    this.github = github;
    this.repository = repository;
    this.home = home;
    this.checkout = join(home.folder, "api");
  }

  static async open({ github: shared, fullName = "acme/api", files, config = {} }: SceneOptions = {}): Promise<GithubScene> {
    await using stack = new AsyncDisposableStack();
    const github = shared ?? stack.use(await GithubDouble.start());
    const repository = await github.createRepository(fullName, { tokens: { [GITHUB_TOKEN]: "drover-bot" }, ...(files && { files }) });
    const own = { apiUrl: github.url, repository: fullName, webhookSecretVariable: "HOOK_SECRET", ...config.github };
    const home = stack.use(await TestHome.make({ ...config, github: own }));
    Object.assign(home.env, { GITHUB_TOKEN, HOOK_SECRET });
    const scene = new GithubScene(stack.move(), github, repository, home);
    mkdirSync(scene.checkout);
    git(scene.checkout, "clone", "--quiet", repository.path, ".");
    git(scene.checkout, "remote", "set-url", "origin", github.remote(fullName));
    return scene;
  }

  /** Makes the project known to a daemon as `api`, and lets it look at the issues there are. */
  async register(daemon: TestDaemon): Promise<Project> {
    const project = await daemon.client.registerProject({ body: { path: this.checkout, name: "api" } });
    await this.poll(daemon);
    return project;
  }

  async poll(daemon: TestDaemon): Promise<void> {
    await daemon.client.pollProject({ params: { project: "api" } });
  }

  /** Has GitHub tell this daemon of what happens to issues. */
  hook(daemon: TestDaemon): void {
    this.github.addWebhook(this.repository.fullName, `${daemon.url}/api/webhooks/github/api`, HOOK_SECRET);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
