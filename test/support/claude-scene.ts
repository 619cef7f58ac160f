import { join } from "node:path";
import type { ModelScript } from "../../src/demo/model-script.ts";
import { CLAUDE } from "./agent-bench.ts";
import { GithubScene, type SceneOptions } from "./github-scene.ts";
import { Gate } from "./gate.ts";
import { openTestModel, type TestModel } from "./model-server.ts";
import { openNetworkNamespace } from "./network-namespace.ts";
import { temporaryFolder } from "./repository.ts";

export interface ClaudeSceneOptions extends SceneOptions {
  readonly script: (place: Pick<ClaudeScene, "folder" | "gate">) => ModelScript["scenarios"];
  readonly permissions?: "ask" | "edit";
}

export interface ClaudeScene extends AsyncDisposable {
  readonly scene: GithubScene;
  readonly model: TestModel;
  /** A folder outside every workspace, for what the agent is to leave to the test. */
  readonly folder: string;
  readonly gate: Gate;
}

/** A scene whose agent is the real Claude Code, in a network namespace whose only way out is the scripted model. */
export async function openClaudeScene({ script, permissions = "edit", config = {}, ...rest }: ClaudeSceneOptions): Promise<ClaudeScene> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const gate = stack.use(await Gate.make(join(folder, "gate")));
  const model = stack.use(await openTestModel({ scenarios: script({ folder, gate }) }));
  const namespace = stack.use(await openNetworkNamespace(model.socket));
  const claude = {
    driver: "claude",
    command: [...namespace.enter, CLAUDE],
    model: "claude-sonnet-4-5",
    env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
    permissions,
  };
  const scene = stack.use(await GithubScene.open({ ...rest, config: { ...config, agents: { claude } } }));
  Object.assign(scene.home.env, { ANTHROPIC_BASE_URL: namespace.url, ANTHROPIC_API_KEY: "key-of-the-model" });
  const end = stack.move();
  return { scene, model, folder, gate, [Symbol.asyncDispose]: () => end.disposeAsync() };
}
