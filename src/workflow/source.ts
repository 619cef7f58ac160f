import type { Tree } from "../config/tree.ts";
import type { YamlText } from "../config/yaml-text.ts";

/** One workflow as its author wrote it, not yet put together with what it extends. */
export interface WorkflowSource {
  readonly name: string;
  /** Where it was written: an absolute path. */
  readonly file: string;
  readonly values: Tree;
  /** Where a value stands in the file; undefined: it has no lines of its own. */
  readonly text: YamlText | undefined;
}
