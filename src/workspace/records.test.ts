import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { forgetRecord, listRecords, saveRecord, type WorkspaceRecord } from "./records.ts";
import type { Repository } from "./repository.ts";

test("a record that is forgotten while all are read is left out", async () => {
  const records = await mkdtemp(join(tmpdir(), "drover-records-"));
  try {
    const repository = { records } as Repository;
    const kept: WorkspaceRecord = {
      folder: "1-kept",
      taskId: "task_1",
      baseCommit: "c0ffee",
      copied: {},
      movedFrom: null,
      conflicts: [],
      note: null,
      readyFor: null,
    };
    await saveRecord(repository, kept);
    // As it looks to who has read its name already.
    await symlink(join(records, "gone"), join(records, "2-gone.json"));
    expect(await listRecords(repository)).toEqual([kept]);
    await forgetRecord(repository, kept);
    expect(await listRecords(repository)).toEqual([]);
  } finally {
    await rm(records, { recursive: true });
  }
});
